internal import ServerConfigs
internal import Settings
internal import Supervision

/// Whether another program has a port of ours.
struct PortsCheck {
    let settings: Settings
    /// Our own servers' process groups.
    let ownGroups: Set<Int32>

    private func wanted(_ port: PublicPort) -> [WantedPort] {
        let given = port.side == .ours ? settings.webAddresses : settings.listenAddresses
        let addresses: [String?] = given.isEmpty ? [nil] : given.map { $0 }
        return addresses.map { WantedPort(port.transport, port.ports.lowerBound, address: $0) }
    }

    /// The ports of a span are taken and given back with every call: one of them is no conflict.
    private var ports: [PublicPort] { settings.ownPorts.filter { $0.ports.count == 1 } }

    /// The conflicts.
    func conflicts() -> [PortConflict] {
        let own = settings.ports
        let front = settings.sharesHTTPSPort ? [own.clientFront] + (settings.federation ? [own.serverFront] : []) : []
        let inner = ([own.internalHTTP] + front).map { WantedPort(.tcp, $0, address: "127.0.0.1") }
        return PortCheck.conflicts(with: ports.flatMap(wanted) + inner, ignoring: ownGroups)
    }

    /// - Parameters:
    ///   - conflicts: what ``conflicts()`` found.
    ///   - isVisible: whether the owners of other users' ports can be seen: to root.
    func findings(_ conflicts: [PortConflict], isVisible: Bool) -> [Finding] {
        guard !conflicts.isEmpty else {
            return [
                Finding(.ports, .green, ownGroups.isEmpty ? "all ports are free" : "all ports are this appliance's own")
            ]
        }
        var byOwner: [(owner: String, ports: [PortConflict])] = []
        for conflict in conflicts {
            let owner = conflict.process.map { name in name + (conflict.pid.map { " (process \($0))" } ?? "") } ?? "another program"
            if let index = byOwner.firstIndex(where: { $0.owner == owner }) {
                if !byOwner[index].ports.contains(where: {
                    $0.wanted.port == conflict.wanted.port && $0.wanted.transport == conflict.wanted.transport
                }) {
                    byOwner[index].ports.append(conflict)
                }
            } else {
                byOwner.append((owner, [conflict]))
            }
        }
        return byOwner.map { owner, conflicts in
            let isHarmless = conflicts.allSatisfy { conflict in
                ports.contains { $0.isOptional && $0.transport == conflict.wanted.transport && $0.ports.contains(conflict.wanted.port) }
            }
            let numbers = conflicts.map { "\($0.wanted.port)/\($0.wanted.transport.rawValue)" }
            let what = "port\(numbers.count == 1 ? "" : "s") \(listed(numbers)) \(numbers.count == 1 ? "is" : "are") in use by \(owner)"
            if isHarmless {
                return Finding(.ports, .yellow, what + "; with this SNIKKET_CHALLENGE everything works, but http:// does not lead to the portal")
            }
            if !isVisible, conflicts.allSatisfy({ $0.process == nil }) {
                return Finding(.ports, .red, what, try: "run `sudo snikket check`: root sees which one, or that it is snikket itself")
            }
            return Finding(.ports, .red, what, try: remedy(for: conflicts))
        }
    }

    private func remedy(for conflicts: [PortConflict]) -> String {
        let taken = Set(conflicts.filter { $0.wanted.transport == .tcp }.map(\.wanted.port))
        let name = conflicts.first?.process ?? "it"
        let stop = "stop \(name) if nothing else needs it"
        if let front = name.isEmpty ? nil : FrontServer(program: name) {
            let way = "let \(front.rawValue) pass our names on: `sudo snikket render --target proxy=\(front.rawValue)` says how; or \(stop)"
            guard taken.contains(settings.ports.http), !taken.contains(settings.ports.https) else { return way }
            return way + "; or leave port \(settings.ports.http) to it and set SNIKKET_CHALLENGE=tls-alpn-01 or dns-01"
        }
        if taken.contains(settings.ports.http), !taken.contains(settings.ports.https) {
            return stop + "; or leave port \(settings.ports.http) to it and set SNIKKET_CHALLENGE=tls-alpn-01 or dns-01"
        }
        if taken.contains(settings.ports.https) {
            return stop
                + "; or use another machine; or set other ports (SNIKKET_TWEAK_HTTP_PORT, SNIKKET_TWEAK_HTTPS_PORT) with SNIKKET_CHALLENGE=dns-01"
        }
        return stop + ", or set another port (`snikket config list` names the options)"
    }
}
