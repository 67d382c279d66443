internal import Glibc
internal import Settings
internal import Supervision

/// Connects to the public addresses and ports that DNS gives, as an app would. From this machine: a firewall of the provider does not see that.
struct ReachabilityCheck: Sendable {
    let settings: Settings
    let machine: MachineAddresses
    /// Whether our own servers are there to answer.
    let isServing: Bool
    /// Ports that another program has.
    let taken: Set<Int>

    /// What came of every connection to an address.
    struct Outcome: Sendable, Equatable {
        var address: String
        /// Ports that answered.
        var good: [Int] = []
        /// Ports that did not, with the errno.
        var bad: [Int: Int32] = [:]
        /// Ports on which somebody else answered than the listener here.
        var others: [Int] = []
    }

    /// The ports to try.
    private var ports: [Int] {
        settings.publicPorts.filter { $0.transport == .tcp && $0.ports.count == 1 && (isServing || !taken.contains($0.ports.lowerBound)) }
            .filter { !($0.isOptional && (taken.contains($0.ports.lowerBound) || $0.side == .theirs)) }.map(\.ports.lowerBound)
    }

    /// Those on which another server answers, that passes on what is for us.
    private var theirs: Set<Int> { Set(settings.publicPorts.filter { $0.side == .theirs }.map(\.ports.lowerBound)) }

    /// The addresses to try: this machine's own that are published; behind NAT, whatever is.
    private func addresses(_ names: [PublishedName]) -> [String] {
        var seen: Set<String> = []
        return names.flatMap { $0.four + $0.six }
            .filter { machine.holds($0) || (machine.isBehindNAT && !$0.contains(":") && AddressKind($0) == .global) }.filter {
                seen.insert($0).inserted
            }
    }

    func findings(_ names: [PublishedName]) async -> [Finding] {
        let addresses = addresses(names)
        guard !addresses.isEmpty else { return [] }
        let doors = isServing ? nil : Doors(ports: ports.filter { !theirs.contains($0) }, addresses: settings.listenAddresses)
        async let answering: Void = onThread { doors?.run() }
        let outcomes = await together(addresses) { address in await outcome(address, doors) }
        doors?.end()
        await answering
        return findings(outcomes) + closedToUs(doors)
    }

    /// Addresses that are all well stand on one line.
    func findings(_ outcomes: [Outcome]) -> [Finding] {
        let good = outcomes.filter { $0.bad.isEmpty && $0.others.isEmpty }
        let rest = outcomes.filter { !($0.bad.isEmpty && $0.others.isEmpty) }.map(problem)
        guard let first = good.first else { return rest }
        let ports = first.good.sorted().map(String.init)
        guard !ports.isEmpty else { return rest }
        return [
            Finding(
                .reachable, .green,
                "\(listed(good.map(\.address))) answer\(good.count == 1 ? "s" : "") on \(listed(ports)), asked from this machine; "
                    + "UDP, and a firewall further out, cannot be seen from here")
        ] + rest
    }

    private func outcome(_ address: String, _ doors: Doors?) async -> Outcome {
        let theirs = theirs
        let tried = ports.filter { doors?.open.contains($0) ?? true || theirs.contains($0) }
        let word = doors?.word ?? []
        let knocks = await together(tried) { port in
            await onThread { Knock.at(address, port, seconds: 3, expecting: theirs.contains(port) ? 0 : word.count) }
        }
        var outcome = Outcome(address: address)
        for (port, knock) in zip(tried, knocks) {
            switch knock {
            case .answered(let said) where said == word || theirs.contains(port): outcome.good.append(port)
            case .answered: outcome.others.append(port)
            case .failed(let errno): outcome.bad[port] = errno
            }
        }
        return outcome
    }

    private func problem(_ outcome: Outcome) -> Finding {
        let (address, isOwn) = (outcome.address, machine.holds(outcome.address))
        if !outcome.others.isEmpty {
            return Finding(
                .reachable, .yellow, "at \(address) something else than this machine answers on \(listed(outcome.others.map(String.init)))",
                try: isOwn
                    ? "look which program listens there: `ss -tlnp`"
                    : "let your router pass these ports on to \(machine.privateFour.first ?? "this machine")")
        }
        let closed = outcome.bad.keys.sorted().map(String.init)
        let why = Set(outcome.bad.values).map(errorText).sorted().joined(separator: "; ")
        if !isOwn {
            return Finding(
                .reachable, .yellow,
                "\(address) does not answer this machine on \(listed(closed)) (\(why)); many routers do not lead their own network back",
                try:
                    "let the router pass these ports on to \(machine.privateFour.first ?? "this machine"), and try from a phone that is not in its Wi-Fi"
            )
        }
        if theirs.isSuperset(of: outcome.bad.keys) {
            return Finding(
                .reachable, .red, "nothing answers at \(address) on \(listed(closed)) (\(why)), where the web server in front has to be",
                try:
                    "start it with the part that `sudo snikket render --target proxy=NAME` prints, or take SNIKKET_TRUSTED_PROXIES out of snikket.conf"
            )
        }
        return Finding(
            .reachable, .red, "\(address) does not answer on \(listed(closed)) (\(why))",
            try: isServing ? "look at `sudo snikket status`, and at this machine's firewall" : "look at this machine's firewall and at its network")
    }

    private func closedToUs(_ doors: Doors?) -> [Finding] {
        let ports = doors?.refused.filter { $0.value == EACCES || $0.value == EPERM }.keys.sorted() ?? []
        guard !ports.isEmpty else { return [] }
        return [Finding(.reachable, .yellow, "only root can try port \(listed(ports.map(String.init)))", try: "sudo snikket check")]
    }
}
