internal import Supervision

/// What a firewall of the kernel does with a new connection from the internet, as far as its rules can be understood: nftables and iptables alike.
struct PacketFilter: Sendable, Equatable {
    /// What becomes of a packet.
    enum Fate: Sendable, Equatable {
        case accepted, dropped
        /// A rule decides that is not understood.
        case unknown
    }

    /// What a rule asks of a packet.
    enum Condition: Sendable, Equatable {
        /// TCP or UDP.
        case transport(String)
        /// Its destination port is one of these.
        case ports([ClosedRange<Int>])
        /// True for what comes from the internet for the first time, to an address of this machine; or false.
        case always, never
        /// Not understood, or true for some only.
        case perhaps
    }

    indirect enum Verdict: Sendable, Equatable {
        case accept, drop, back
        case jump(String), goto(String)
        /// By the port.
        case map([(ports: [ClosedRange<Int>], verdict: Verdict)])

        static func == (one: Verdict, other: Verdict) -> Bool { "\(one)" == "\(other)" }
    }

    struct Rule: Sendable, Equatable {
        var conditions: [Condition] = []
        /// nil for a rule that only counts or logs.
        var verdict: Verdict?
    }

    struct Chain: Sendable, Equatable {
        var rules: [Rule] = []
        /// What becomes of what comes to the end; for chains that the kernel calls.
        var policy: Fate = .accepted
    }

    /// By their names.
    var chains: [String: Chain] = [:]
    /// Those that the kernel calls for packets to this machine, in their order.
    var entries: [String] = []

    /// What becomes of the first packet to a port.
    func fate(of transport: WantedPort.Transport, _ port: Int) -> Fate {
        var result = Fate.accepted
        for entry in entries {
            // Each has to accept; one that drops is enough.
            switch walk(entry, transport, port, depth: 0) ?? chains[entry]?.policy ?? .accepted {
            case .dropped: return .dropped
            case .unknown: result = .unknown
            case .accepted: break
            }
        }
        return result
    }

    /// nil: the end was reached.
    private func walk(_ name: String, _ transport: WantedPort.Transport, _ port: Int, depth: Int) -> Fate? {
        guard let chain = chains[name], depth < 16 else { return .unknown }
        var isUncertain = false
        for rule in chain.rules {
            guard let verdict = rule.verdict else { continue }
            switch applies(rule, transport, port) {
            case .never: continue
            case .perhaps:
                // Drops for some, such as a list of villains, are no matter.
                if case .drop = verdict { continue }
                isUncertain = true
                continue
            default: break
            }
            switch decide(verdict, transport, port, depth) {
            case .some(let fate?): return isUncertain && fate == .dropped ? .unknown : fate
            // Back to the caller.
            case .some(nil): return isUncertain ? .unknown : nil
            case nil: continue
            }
        }
        // What the uncertain rules let through is not known; only when the end drops does it matter.
        return isUncertain && chain.policy == .dropped ? .unknown : nil
    }

    /// nil: the next rule; nil within: back to the caller.
    private func decide(_ verdict: Verdict, _ transport: WantedPort.Transport, _ port: Int, _ depth: Int) -> Fate?? {
        switch verdict {
        case .accept: return .some(.accepted)
        case .drop: return .some(.dropped)
        case .back: return .some(nil)
        case .jump(let chain):
            guard let fate = walk(chain, transport, port, depth: depth + 1) else { return nil }
            return .some(fate)
        case .goto(let chain): return .some(walk(chain, transport, port, depth: depth + 1))
        case .map(let entries):
            guard let entry = entries.first(where: { $0.ports.contains { $0.contains(port) } }) else { return nil }
            return decide(entry.verdict, transport, port, depth)
        }
    }

    private func applies(_ rule: Rule, _ transport: WantedPort.Transport, _ port: Int) -> Condition {
        var result = Condition.always
        for condition in rule.conditions {
            switch condition {
            case .never: return .never
            case .transport(let name) where name != transport.rawValue: return .never
            case .ports(let ranges) where !ranges.contains(where: { $0.contains(port) }): return .never
            case .perhaps: result = .perhaps
            case .transport, .ports, .always: break
            }
        }
        return result
    }
}
