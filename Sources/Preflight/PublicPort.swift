internal import Settings
internal import Supervision

/// A port of ours, or one that people on the internet have to reach; a span of them for calls.
struct PublicPort: Sendable, Equatable {
    var transport: WantedPort.Transport
    var ports: ClosedRange<Int>
    /// What it is for, in words.
    var use: String
    /// Whether another program may have it: all else works without.
    var isOptional = false
    var side = Side.both

    /// Who meets there.
    enum Side: Sendable {
        /// The internet comes to our own server.
        case both
        /// Our own server listens, for another one in front of it.
        case ours
        /// The internet comes to that other server.
        case theirs
    }

    init(_ transport: WantedPort.Transport, _ port: Int, _ use: String, isOptional: Bool = false, side: Side = .both) {
        (self.transport, ports, self.use, self.isOptional, self.side) = (transport, port...port, use, isOptional, side)
    }

    init(_ transport: WantedPort.Transport, _ ports: ClosedRange<Int>, _ use: String) {
        (self.transport, self.ports, self.use) = (transport, ports, use)
    }

    /// `5222`, or `49152-65535`.
    var number: String { ports.count == 1 ? "\(ports.lowerBound)" : "\(ports.lowerBound)-\(ports.upperBound)" }
}

extension Settings {
    /// Every port that has to be open.
    var publicPorts: [PublicPort] { allPorts.filter { $0.side != .ours } }

    /// Every port on which our own servers listen for others.
    var ownPorts: [PublicPort] { allPorts.filter { $0.side != .theirs } }

    private var webPorts: [PublicPort] {
        let side = isBehindProxy ? PublicPort.Side.ours : .both
        let own =
            [PublicPort(.tcp, ports.http, "web, certificates", isOptional: !needsHTTPPort, side: side)]
            + (webTLS ? [PublicPort(.tcp, ports.https, "web", side: side)] : [])
        guard isBehindProxy else { return own }
        let isNeeded = challenge == .http
        return own + [
            PublicPort(.tcp, publicHTTPPort, "web, certificates", isOptional: !isNeeded, side: .theirs),
            PublicPort(.tcp, publicHTTPSPort, "web", side: .theirs),
        ]
    }

    private var allPorts: [PublicPort] {
        var all = webPorts
        all += [
            PublicPort(.tcp, ports.xmppClient, "apps"), PublicPort(.tcp, ports.xmppClientTLS, "apps"),
            PublicPort(.tcp, ports.proxy65, "file transfer"),
        ]
        if federation {
            all += [PublicPort(.tcp, ports.xmppServer, "other servers"), PublicPort(.tcp, ports.xmppServerTLS, "other servers")]
        }
        if turn.enabled {
            all += [
                PublicPort(.tcp, ports.turn, "calls"), PublicPort(.udp, ports.turn, "calls"), PublicPort(.tcp, ports.turnTLS, "calls"),
                PublicPort(.udp, turn.minimumRelayPort...max(turn.minimumRelayPort, turn.maximumRelayPort), "calls"),
            ]
        }
        return all
    }

    /// Whether only this computer can reach it: a trial.
    var isLoopbackOnly: Bool {
        !listenAddresses.isEmpty && listenAddresses.allSatisfy { AddressKind($0) == .here }
    }

    /// Every name that has to have an address.
    var names: [String] { ownNames }
}

/// `80, 443 and 5222`.
func listed(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " and " + last
}
