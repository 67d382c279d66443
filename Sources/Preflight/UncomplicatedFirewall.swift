internal import DurableFiles
internal import Supervision

/// ufw: what its own files say (ufw-framework(8)). They are read, and nothing is run.
struct UncomplicatedFirewall: Sendable, Equatable {
    /// A rule as ufw remembers it.
    struct Rule: Sendable, Equatable {
        /// `tcp`, `udp`, or `any`.
        var transport: String
        /// nil for every port.
        var ports: [ClosedRange<Int>]?
        var lets: Bool
    }

    var isEnabled: Bool
    /// Whether it lets in what no rule speaks of.
    var letsOthers: Bool
    /// For packets from everywhere; the first that fits counts.
    var rules: [Rule]

    /// nil when it is not installed.
    ///
    /// - Parameter folder: /etc.
    /// - Throws: when only root can look.
    init?(in folder: String = "/etc") throws(FileError) {
        guard let configuration = try Self.text("\(folder)/ufw/ufw.conf") else { return nil }
        isEnabled = configuration.split(separator: "\n").contains { $0.hasPrefix("ENABLED=") && $0.lowercased().contains("yes") }
        letsOthers = false
        rules = []
        guard isEnabled else { return }
        let defaults = try Self.text("\(folder)/default/ufw") ?? ""
        letsOthers = defaults.split(separator: "\n").contains { $0.hasPrefix("DEFAULT_INPUT_POLICY=") && $0.contains("ACCEPT") }
        rules = (try Self.text("\(folder)/ufw/user.rules") ?? "").split(separator: "\n").compactMap(Self.rule)
    }

    private static func text(_ path: String) throws(FileError) -> String? {
        try File.readIfThere(path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// `### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in`: action, protocol, port, to, port, from, direction; nil for what is only for some.
    private static func rule(_ line: Substring) -> Rule? {
        let words = line.split(separator: " ").map(String.init)
        guard line.hasPrefix("### tuple ### "), words.count >= 10, words[6] == "0.0.0.0/0", words[7] == "any", words[8] == "0.0.0.0/0",
            words.dropFirst(9).contains("in")
        else { return nil }
        let action = words[3].prefix { $0 != "_" }
        return Rule(
            transport: words[4], ports: words[5] == "any" ? nil : PacketFilter.ranges(words[5]), lets: action == "allow" || action == "limit")
    }

    /// Whether whoever is on the internet reaches a port.
    func lets(_ port: PublicPort) -> Bool {
        let rule = rules.first { rule in
            (rule.transport == "any" || rule.transport == port.transport.rawValue)
                && (rule.ports?.contains { $0.lowerBound <= port.ports.lowerBound && $0.upperBound >= port.ports.upperBound } ?? true)
        }
        return rule?.lets ?? letsOthers
    }

    /// `ufw allow 80,443,5222/tcp; ufw allow 49152:65535/udp`.
    static func commands(opening ports: [PublicPort]) -> String {
        ["tcp", "udp"].compactMap { transport in
            let numbers = ports.filter { $0.transport.rawValue == transport }.map { $0.number.split(separator: "-").joined(separator: ":") }
            return numbers.isEmpty ? nil : "ufw allow \(numbers.joined(separator: ","))/\(transport)"
        }.joined(separator: "; ")
    }
}
