internal import CertificateStore
internal import DNS
internal import Glibc
public import Settings
internal import Supervision

/// Looks whether the world is ready for this appliance: everything at once, every wait with a deadline. Nothing is changed.
public struct Preflight: Sendable {
    private let settings: Settings
    private let locations: Locations
    private let running: RunningAppliance?
    private let choice: ResolverChoice
    private let resolver: Resolver
    private let isChosen: Bool

    /// - Parameters:
    ///   - resolvers: recursive DNS servers to ask instead of this machine's, `192.0.2.1:53`.
    ///   - running: what runs already; nil for nothing.
    public init(settings: Settings, locations: Locations, resolvers: [String] = [], running: RunningAppliance? = nil) {
        self.settings = settings
        self.locations = locations
        self.running = running
        isChosen = !resolvers.isEmpty
        choice = resolvers.isEmpty ? ResolverChoice() : ResolverChoice(given: resolvers)
        resolver = Resolver(choice.servers)
    }

    /// Every line of the report, in its order.
    public func findings() async -> [Finding] {
        let machine = MachineAddresses.current()
        let ports = PortsCheck(settings: settings, ownGroups: running?.groups ?? [])
        let conflicts = await onThread { [ports] in ports.conflicts() }
        let certificate = CertificateCheck(settings: settings, folder: locations.certificates, isRunning: running != nil)
        let facts = certificate.facts()

        async let names = publishedNames()
        async let firewall = FirewallCheck(settings: settings).findings()
        async let website = WebsiteCheck(settings: settings).findings()
        async let programs = ProgramsCheck(settings: settings).findings()
        async let updates = UpdatesCheck().findings()
        async let issuers =
            settings.isLoopbackOnly
            ? [] : onThread { [settings, resolver] in IssuersCheck(settings: settings).findings(from: resolver) }
        async let services = serviceAnswers()

        let published = await names
        let taken = Set(conflicts.filter { $0.wanted.transport == .tcp }.map(\.wanted.port))
        async let reachable = reachability(published, machine, taken: taken)

        var findings = settingsFindings
        findings += await nameFindings(published, machine, services, issuers)
        findings += ports.findings(conflicts, isVisible: geteuid() == 0)
        findings += await reachable
        findings += settings.isLoopbackOnly ? [] : await firewall
        findings.append(ClockCheck(certificateBegins: facts.record?.notBefore).finding)
        findings += ResourcesCheck(state: locations.state, isRunning: running != nil).findings
        findings += await programs
        findings += await updates
        findings += await website
        let named = Set(conflicts.compactMap(\.pid))
        findings += await onThread { [running, settings] in
            OtherServersCheck(ownGroups: running?.groups ?? [], named: named, isBehindProxy: settings.isBehindProxy).findings()
        }
        findings += certificate.findings(facts)
        let order = Finding.Topic.allCases
        return findings.enumerated().sorted { one, other in
            let (first, second) = (order.firstIndex(of: one.element.topic) ?? 0, order.firstIndex(of: other.element.topic) ?? 0)
            return (first, one.offset) < (second, other.offset)
        }.map(\.element)
    }

    private var settingsFindings: [Finding] {
        let file = locations.configuration
        guard let running else { return [Finding(.settings, .green, "\(file) is well-formed, for \(settings.domain)")] }
        guard running.hasChangedSettings else { return [Finding(.settings, .green, "\(file) is well-formed, and in force")] }
        return [Finding(.settings, .yellow, "\(file) is well-formed, and has changed since it was put into force", try: "sudo snikket reload")]
    }

    // MARK: - DNS

    private func publishedNames() async -> [PublishedName] {
        guard !settings.isLoopbackOnly else { return [] }
        return await together(settings.names) { [resolver] name in await onThread { PublishedName(name, from: resolver) } }
    }

    private func serviceAnswers() async -> [(ServicesCheck.Wanted, ServicesCheck.Answer, PublishedName?)] {
        guard !settings.isLoopbackOnly else { return [] }
        // The machine's addresses do not matter for the questions.
        let check = ServicesCheck(settings: settings, machine: MachineAddresses())
        let ours = Set(settings.names)
        return await together(check.wanted) { [resolver] wanted in
            await onThread {
                let answer = check.ask(wanted, from: resolver)
                // Where it leads, when that is none of the names that are looked at anyway.
                guard case .records(let records) = answer, let target = records.first.map({ String($0.target.dropLast()) }), !target.isEmpty,
                    !ours.contains(target)
                else { return (wanted, answer, nil) }
                return (wanted, answer, PublishedName(target, from: resolver))
            }
        }
    }

    private func nameFindings(
        _ names: [PublishedName], _ machine: MachineAddresses, _ services: [(ServicesCheck.Wanted, ServicesCheck.Answer, PublishedName?)],
        _ issuers: [Finding]
    ) async -> [Finding] {
        guard !settings.isLoopbackOnly else {
            return [Finding(.address, .green, "only this computer can reach it (SNIKKET_TWEAK_LISTEN_ADDRESSES), so DNS is not looked at")]
        }
        let hosts = HostsFile().findings(names: settings.names, machine: machine)
        if let silence = names.first?.failure, names.allSatisfy({ $0.failure?.isSilence ?? false }) {
            return choice.findings + hosts + [deadResolver(silence)]
        }
        var addresses: [String: PublishedName] = [:]
        for name in names + services.compactMap(\.2) { addresses[name.name] = name }
        return choice.findings + hosts + resolverFinding + NamesCheck(settings: settings, machine: machine).findings(names)
            + ServicesCheck(settings: settings, machine: machine).findings(services.map { ($0.0, $0.1) }, addresses: addresses) + issuers
            + (await onThread { [settings] in
                IPv6Check(settings: settings, machine: machine, hasRoute: IPv6Check.hasRouteToInternet()).asked(names).findings(names)
            }) + (await strayNames())
    }

    private var resolverFinding: [Finding] {
        choice.findings.isEmpty ? [Finding(.resolver, .green, "DNS answers, asked at \(listed(choice.servers.map(plain)))")] : []
    }

    private func deadResolver(_ error: DNSError) -> Finding {
        let servers = listed(choice.servers.map(plain))
        return Finding(
            .resolver, .red, "no DNS server answers: \(servers): \(error.words)",
            try: isChosen
                ? "check the address given with --resolver"
                : "check the network (`ping -c 1 \(choice.servers.first.map { String($0.prefix { $0 != ":" }) } ?? "")`) and the nameserver lines of /etc/resolv.conf; other people may see your records well"
        )
    }

    /// Without the port where it is DNS's own.
    private func plain(_ server: String) -> String {
        server.hasSuffix(":53") ? String(server.dropLast(3)) : server
    }

    /// A search domain under which everything exists: on this machine, names that do not exist are found there.
    private func strayNames() async -> [Finding] {
        let found = await together(Array(choice.search.prefix(3))) { [resolver, settings] domain in
            await onThread { () -> Finding? in
                let stray = PublishedName("\(settings.domain).\(domain)", from: resolver)
                guard stray.failure == nil, !stray.four.isEmpty || !stray.six.isEmpty else { return nil }
                return Finding(
                    .resolver, .yellow, "the search domain \(domain) has an address for every name: here, a name that does not exist seems to",
                    try: "take it out of the search line in /etc/resolv.conf")
            }
        }
        return found.compactMap(\.self)
    }

    // MARK: - Network

    private func reachability(_ names: [PublishedName], _ machine: MachineAddresses, taken: Set<Int>) async -> [Finding] {
        guard !settings.isLoopbackOnly else { return [] }
        if let running, !running.isServing {
            return [
                Finding(
                    .reachable, .yellow, "snikket is still starting: whether its ports answer is not known yet",
                    try: "run `sudo snikket check` again when it is ready")
            ]
        }
        return await ReachabilityCheck(settings: settings, machine: machine, isServing: running != nil, taken: taken).findings(names)
    }
}
