internal import DurableFiles
internal import Glibc

/// Other chat and web servers of this machine: those that run, and those that start at the next boot. One in a container with a network of its
/// own is in nobody's way.
struct OtherServersCheck: Sendable {
    /// Our own servers' process groups.
    let ownGroups: Set<Int32>
    /// Processes that have a port of ours: they are named with it.
    let named: Set<Int32>
    /// Where systemd keeps what is started at boot (systemd.unit(5)); nil when it is not what boots this machine (sd_booted(3)).
    /// Whether one of the web servers is meant to be there, in front of ours.
    var isBehindProxy = false
    var enabled: String? = access("/run/systemd/system", F_OK) == 0 ? "/etc/systemd/system/multi-user.target.wants" : nil

    private struct Server {
        var name: String
        /// What it is, in words.
        var kind: String
        /// The program's name; for one that runs in an interpreter, its script's.
        var programs: Set<String>
    }

    private static let servers = [
        Server(name: "prosody", kind: "a chat server", programs: ["prosody"]),
        Server(name: "ejabberd", kind: "a chat server", programs: ["ejabberd", "ejabberdctl"]),
        Server(name: "openfire", kind: "a chat server", programs: ["openfire"]),
        Server(name: "nginx", kind: "a web server", programs: ["nginx"]),
        Server(name: "apache2", kind: "a web server", programs: ["apache2", "httpd"]),
        Server(name: "caddy", kind: "a web server", programs: ["caddy"]),
        Server(name: "lighttpd", kind: "a web server", programs: ["lighttpd"]),
        Server(name: "sslh", kind: "a web proxy", programs: ["sslh", "sslh-select", "sslh-ev"]),
        Server(name: "haproxy", kind: "a web proxy", programs: ["haproxy"]),
        Server(name: "traefik", kind: "a web proxy", programs: ["traefik"]),
        Server(name: "coturn", kind: "a relay for calls", programs: ["turnserver"]),
    ]

    /// What runs beside our own servers, in the same network.
    func others() -> [RunningProgram] {
        let network = RunningProgram.network(of: "self")
        return RunningProgram.all().filter {
            !ownGroups.contains($0.group) && ($0.network == nil || network == nil || $0.network == network)
        }
    }

    func findings() -> [Finding] {
        let running = others()
        var findings: [Finding] = []
        for server in Self.servers where !(isBehindProxy && server.kind.hasPrefix("a web")) {
            let those = running.filter { !server.programs.isDisjoint(with: $0.names) }
            let isEnabled = enabled.map { access("\($0)/\(server.name).service", F_OK) == 0 } ?? false
            let remedy = "if nothing else needs it: systemctl disable --now \(server.name)"
            // A group is one server: its master and its workers.
            if let first = those.first, !those.contains(where: { named.contains($0.pid) }) {
                findings.append(
                    Finding(.otherServers, .yellow, "\(server.name), \(server.kind), runs beside (process \(first.pid)), on other ports", try: remedy)
                )
            } else if isEnabled {
                findings.append(
                    Finding(
                        .otherServers, .yellow, "\(server.name), \(server.kind), is started at every boot, and may take our ports then", try: remedy))
            }
        }
        return findings.isEmpty ? [Finding(.otherServers, .green, "no other chat or web server")] : findings
    }
}

/// A process, as far as it tells which program it is (proc(5)).
struct RunningProgram: Sendable {
    var pid: Int32
    var group: Int32
    /// The program's name and, behind an interpreter, the script's.
    var names: Set<String>
    /// Its network (network_namespaces(7)); nil when that is not for us to see.
    var network: String?

    static func network(of pid: String) -> String? { SymbolicLink.target(of: "/proc/\(pid)/ns/net") }

    static func all() -> [RunningProgram] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var found: [RunningProgram] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if let pid = Int32(name), let program = RunningProgram(pid) { found.append(program) }
        }
        return found.sorted { $0.pid < $1.pid }
    }

    /// nil when it is gone, or a thread of the kernel.
    private init?(_ pid: Int32) {
        guard let line = try? File.read("/proc/\(pid)/cmdline"), !line.isEmpty, let stat = try? File.read("/proc/\(pid)/stat") else { return nil }
        // `nginx: master process /usr/sbin/nginx` is what nginx makes of its own.
        let words = line.split { $0 == 0 || $0 == 0x20 }.prefix(3).map { File.name(of: String(decoding: $0, as: UTF8.self)) }
        guard let program = words.first else { return nil }
        let text = String(decoding: stat, as: UTF8.self)
        guard let bracket = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: bracket)...].split(separator: " ")
        guard fields.count > 2, fields[0] != "Z", let group = Int32(fields[2]) else { return nil }
        self.pid = pid
        self.group = group
        network = Self.network(of: "\(pid)")
        names = [program.hasSuffix(":") ? String(program.dropLast()) : program]
        if ["lua", "python", "perl", "beam", "java", "sh"].contains(where: program.hasPrefix), words.count > 1 { names.formUnion(words.dropFirst()) }
    }
}
