internal import Supervision

/// firewalld: what `firewall-cmd --list-all` says of a zone (firewall-cmd(1)).
struct FirewallDaemon: Sendable, Equatable {
    /// Whether the zone lets everything in.
    var letsAll = false
    /// By the transport's name.
    var open: [String: [ClosedRange<Int>]] = [:]

    /// What those of firewalld's services stand for that matter here (/usr/lib/firewalld/services).
    private static let services: [Substring: [(String, Int)]] = [
        "http": [("tcp", 80)], "https": [("tcp", 443)], "xmpp-client": [("tcp", 5222)], "xmpp-server": [("tcp", 5269)],
    ]

    init(listing: String) {
        for line in listing.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1).map { $0.split(separator: " ") }
            guard parts.count == 2, let name = parts[0].first else { continue }
            switch name {
            case "target": letsAll = parts[1] == ["ACCEPT"]
            case "services":
                for (transport, port) in parts[1].flatMap({ Self.services[$0] ?? [] }) { open[transport, default: []].append(port...port) }
            case "ports":
                for word in parts[1] {
                    let halves = word.split(separator: "/")
                    if halves.count == 2 { open[String(halves[1]), default: []] += PacketFilter.ranges(String(halves[0])) }
                }
            default: break
            }
        }
    }

    func lets(_ port: PublicPort) -> Bool {
        letsAll || (open[port.transport.rawValue] ?? []).contains { $0.lowerBound <= port.ports.lowerBound && $0.upperBound >= port.ports.upperBound }
    }
}
