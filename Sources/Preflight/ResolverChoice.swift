internal import DNS
internal import DurableFiles

/// Which resolvers say what the world is told: not always those that this machine asks, for theirs may mix in /etc/hosts.
struct ResolverChoice: Sendable, Equatable {
    var servers: [String]
    /// Domains that are tried behind a name that does not exist.
    var search: [String] = []
    var findings: [Finding] = []

    /// Those that somebody named.
    init(given servers: [String]) { self.servers = servers }

    /// Those of this machine.
    ///
    /// - Parameters:
    ///   - file: resolv.conf(5).
    ///   - upstream: where systemd-resolved says whom it asks itself (systemd-resolved.service(8)).
    init(file: String = "/etc/resolv.conf", upstream: String = "/run/systemd/resolve/resolv.conf") {
        guard let own = ResolverFile(file) else {
            servers = ["127.0.0.1:53"]
            findings = [Finding(.resolver, .red, "\(file) is missing: this machine does not know whom to ask for names", try: Self.remedy)]
            return
        }
        search = own.search.filter { $0 != "." }
        // Without any, this machine itself is asked (resolv.conf(5)).
        servers = own.servers.isEmpty ? ["127.0.0.1:53"] : own.servers
        if own.servers.isEmpty {
            findings = [Finding(.resolver, .yellow, "\(file) names no DNS server: only one on this machine itself can answer", try: Self.remedy)]
        }
        guard !own.servers.isEmpty, own.servers.allSatisfy(Self.isStub), let whole = ResolverFile(upstream) else { return }
        let others = whole.servers.filter { !Self.isStub($0) }
        if !others.isEmpty {
            servers = others
        } else {
            findings = [
                Finding(
                    .resolver, .red, "systemd-resolved asks \(whole.servers.isEmpty ? "nobody" : "itself"): no name can be found",
                    try: "set DNS= in /etc/systemd/resolved.conf to your provider's DNS servers, then `systemctl restart systemd-resolved`")
            ]
        }
    }

    private static let remedy = "put `nameserver` and the address of your provider's DNS server into /etc/resolv.conf"

    /// systemd-resolved's own addresses.
    private static func isStub(_ server: String) -> Bool { server.hasPrefix("127.0.0.53:") || server.hasPrefix("127.0.0.54:") }
}

/// /etc/hosts (hosts(5)): what this machine believes against DNS.
struct HostsFile: Sendable, Equatable {
    /// Address and name, in the order of the lines.
    var entries: [(address: String, name: String, line: Int)] = []

    static func == (one: HostsFile, other: HostsFile) -> Bool { one.entries.elementsEqual(other.entries) { $0 == $1 } }

    init(_ path: String = "/etc/hosts") {
        guard let bytes = try? File.read(path) else { return }
        for (index, line) in String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }
            guard let address = words.first else { continue }
            entries += words.dropFirst().map { (String(address), $0.lowercased(), index + 1) }
        }
    }

    /// What it says of our names that DNS does not.
    func findings(names: [String], machine: MachineAddresses) -> [Finding] {
        names.compactMap { name in
            let ours = entries.filter { $0.name == name }
            guard let entry = ours.first(where: { !machine.holds($0.address) }) else { return nil }
            let isDebians = entry.address.hasPrefix("127.0.1.")
            return Finding(
                .hosts, .yellow,
                "/etc/hosts, line \(entry.line), says that \(name) is \(entry.address)"
                    + (isDebians ? " (Debian's installer puts that there): this machine does not see what everybody else sees" : ""),
                try: "take \(name) out of that line\(isDebians ? "; the machine's short name may stay" : "")")
        }
    }
}
