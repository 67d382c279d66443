internal import DurableFiles
internal import Glibc
internal import Settings
internal import Supervision

/// Whether a firewall of this machine keeps people out. Everything is only read.
struct FirewallCheck {
    let settings: Settings
    var etc = "/etc"
    /// Where programs are looked for.
    var folders = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"]

    private var ports: [PublicPort] { settings.publicPorts.filter { !$0.isOptional } }

    func findings() async -> [Finding] {
        do throws(FileError) {
            if let ufw = try UncomplicatedFirewall(in: etc), ufw.isEnabled { return [judge(ufw)] }
        } catch {
            return [hidden]
        }
        if let command = program("firewall-cmd"), await Tool.output(of: command, ["--state"])?.hasPrefix("running") == true {
            guard let listing = await Tool.output(of: command, ["--list-all"]) else { return [hidden] }
            return [judge(FirewallDaemon(listing: listing))]
        }
        return [await kernel()]
    }

    private var hidden: Finding { Finding(.firewall, .yellow, "only root can look at the firewall", try: "sudo snikket check") }

    private func program(_ name: String) -> String? { folders.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 } }

    func judge(_ ufw: UncomplicatedFirewall) -> Finding {
        let closed = ports.filter { !ufw.lets($0) }
        guard !closed.isEmpty else { return Finding(.firewall, .green, "ufw lets all ports through") }
        return Finding(
            .firewall, .red, "ufw keeps \(words(closed)) closed", try: UncomplicatedFirewall.commands(opening: closed))
    }

    func judge(_ daemon: FirewallDaemon) -> Finding {
        let closed = ports.filter { !daemon.lets($0) }
        guard !closed.isEmpty else { return Finding(.firewall, .green, "firewalld lets all ports through") }
        let options = closed.map { "--add-port=\($0.number)/\($0.transport.rawValue)" }.joined(separator: " ")
        return Finding(
            .firewall, .red, "firewalld keeps \(words(closed)) closed in its default zone",
            try: "firewall-cmd --permanent \(options) && firewall-cmd --reload")
    }

    /// The kernel's own rules: nftables, and what iptables made.
    private func kernel() async -> Finding {
        guard geteuid() == 0 else { return hidden }
        let (nft, iptables) = (program("nft"), program("iptables-save"))
        guard nft != nil || iptables != nil else { return Finding(.firewall, .green, "no firewall is installed on this machine") }
        var filters: [(name: String, filter: PacketFilter)] = []
        if let nft {
            guard let json = await Tool.output(of: nft, ["-j", "list", "ruleset"]), let filter = PacketFilter(nftables: Array(json.utf8)) else {
                return Finding(.firewall, .yellow, "the firewall's rules cannot be read", try: "look at `nft list ruleset` yourself")
            }
            filters.append(("nftables", filter))
        }
        if let iptables, let text = await Tool.output(of: iptables, ["-t", "filter"]) { filters.append(("iptables", PacketFilter(iptables: text))) }
        return judge(filters)
    }

    func judge(_ filters: [(name: String, filter: PacketFilter)]) -> Finding {
        for (name, filter) in filters {
            // A span is looked at at its ends.
            let fates = ports.map { port in (port, [port.ports.lowerBound, port.ports.upperBound].map { filter.fate(of: port.transport, $0) }) }
            let closed = fates.filter { $0.1.contains(.dropped) }.map(\.0)
            if !closed.isEmpty {
                return Finding(
                    .firewall, .red, "the firewall (\(name)) keeps \(words(closed)) closed",
                    try: commands(name, filter, closed).joined(separator: "; "))
            }
            let unknown = fates.filter { $0.1.contains(.unknown) }.map(\.0)
            if !unknown.isEmpty {
                return Finding(
                    .firewall, .yellow, "whether the firewall (\(name)) lets \(words(unknown)) through cannot be told from its rules",
                    try: "try from outside, or look at its rules yourself")
            }
        }
        return Finding(
            .firewall, .green,
            filters.allSatisfy { $0.filter.entries.isEmpty }
                ? "no firewall on this machine keeps anybody out" : "this machine's firewall lets all ports through")
    }

    private func commands(_ name: String, _ filter: PacketFilter, _ closed: [PublicPort]) -> [String] {
        ["tcp", "udp"].compactMap { transport in
            let ports = closed.filter { $0.transport.rawValue == transport }.map(\.number)
            guard !ports.isEmpty else { return nil }
            if name == "iptables" {
                let list = ports.map { $0.split(separator: "-").joined(separator: ":") }.joined(separator: ",")
                return "iptables -I INPUT -p \(transport) -m multiport --dports \(list) -j ACCEPT"
            }
            // The chain that drops.
            let chain = filter.entries.first { chain in
                closed.contains { filter.alone(chain).fate(of: $0.transport, $0.ports.lowerBound) == .dropped }
            }
            return "nft insert rule \(chain ?? "inet filter input") \(transport) dport '{ \(ports.joined(separator: ", ")) }' accept"
        } + ["and into \(name == "iptables" ? "where your rules are kept" : "/etc/nftables.conf"), for the next boot"]
    }

    private func words(_ ports: [PublicPort]) -> String { listed(ports.map { "\($0.number)/\($0.transport.rawValue)" }) }
}

extension PacketFilter {
    /// The same with one entry only.
    fileprivate func alone(_ entry: String) -> PacketFilter {
        var filter = self
        filter.entries = [entry]
        return filter
    }
}
