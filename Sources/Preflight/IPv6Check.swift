internal import DNS
internal import Glibc
internal import Settings

/// Whether IPv6 that is published works: apps and certificate authorities try it first.
struct IPv6Check: Sendable {
    let settings: Settings
    let machine: MachineAddresses
    /// Whether a packet to the internet would find a way out.
    let hasRoute: Bool
    /// Whether anybody out there has answered; nil when nobody was asked.
    var isAnswered: Bool?

    /// Two of the root servers, by two networks: every network reaches them.
    private static let rootServers = ["2001:503:ba3e::2:30", "2001:7fd::1"]

    /// Asks the root servers for something, when there is a published address that could work. A route alone may lead to a gateway that is dead.
    /// Blocks its thread, for some six seconds when nobody answers.
    func asked(_ names: [PublishedName]) -> IPv6Check {
        guard settings.ipv6, hasRoute, names.contains(where: { $0.six.contains(where: machine.six.contains) }) else { return self }
        var check = self
        do throws(DNSError) {
            _ = try Resolver(Self.rootServers.map { "[\($0)]:53" }).ask("org", .nameServer)
            check.isAnswered = true
        } catch {
            check.isAnswered = !error.isSilence
        }
        return check
    }

    func findings(_ names: [PublishedName]) -> [Finding] {
        let published = names.flatMap { name in name.six.map { (name: name.alias ?? name.name, address: $0) } }
        guard !published.isEmpty else {
            guard settings.ipv6, hasRoute, let own = machine.six.first, names.contains(where: { $0.failure == nil && !$0.four.isEmpty }) else {
                return [Finding(.ipv6, .green, "no IPv6 address is published, and none has to be")]
            }
            return [Finding(.ipv6, .green, "no IPv6 address is published; this machine has \(own)")]
        }
        var seen: Set<String> = []
        return published.filter { seen.insert("\($0.name) \($0.address)").inserted }.map(finding)
    }

    private func finding(_ published: (name: String, address: String)) -> Finding {
        let record = "\(published.name). AAAA \(published.address)"
        if !settings.ipv6 {
            return Finding(
                .ipv6, .red, "\(published.name) has the IPv6 address \(published.address), and SNIKKET_TWEAK_IPV6 switches IPv6 off",
                try: "remove the record \(record), or switch IPv6 on")
        }
        guard machine.six.contains(published.address) else {
            let own = machine.six.first
            return Finding(
                .ipv6, .red, "\(published.name) has the IPv6 address \(published.address), which no interface of this machine has",
                try: own == nil ? "remove the record \(record): this machine has no public IPv6 address" : "replace the record \(record) by this one",
                records: own.map { ["\(published.name). AAAA \($0)"] } ?? [])
        }
        guard hasRoute else {
            return Finding(
                .ipv6, .red, "\(published.name) has the IPv6 address \(published.address), and this machine has no IPv6 route to the internet",
                try: "repair the network's IPv6 (`ip -6 route` shows no default), or remove the record \(record)")
        }
        guard isAnswered ?? true else {
            return Finding(
                .ipv6, .yellow,
                "\(published.name) has the IPv6 address \(published.address), and nobody on the internet answers this machine over IPv6",
                try: """
                    look at the network's IPv6 (`ping -6 \(Self.rootServers[0])`); if it cannot be had, remove the record \(record): apps try it first
                    """)
        }
        return Finding(.ipv6, .green, "\(published.name) has the IPv6 address \(published.address), this machine's, and the internet answers over it")
    }

    /// Looks the route up; nothing is sent.
    static func hasRouteToInternet() -> Bool {
        let descriptor = socket(AF_INET6, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = in_port_t(443).bigEndian
        inet_pton(AF_INET6, rootServers[0], &address.sin6_addr)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0 }
        }
    }
}
