extension PacketFilter {
    /// What `iptables-save -t filter` printed.
    init(iptables text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            if line.hasPrefix(":"), words.count >= 2 {
                chains[String(words[0].dropFirst()), default: Chain()].policy = words[1] == "DROP" ? .dropped : .accepted
            } else if words.first == "-A", words.count > 2 {
                chains[words[1], default: Chain()].rules.append(Self.rule(Array(words.dropFirst(2))))
            }
        }
        if chains["INPUT"] != nil { entries = ["INPUT"] }
    }

    private static func rule(_ words: [String]) -> Rule {
        var rule = Rule()
        var at = 0
        var isNegated = false
        func value() -> String {
            at += 1
            return at < words.count ? words[at] : ""
        }
        func either(_ isTrue: Bool) -> Condition { isTrue != isNegated ? .always : .never }
        while at < words.count {
            defer { at += 1 }
            let word = words[at]
            if word == "!" {
                isNegated = true
                continue
            }
            switch word {
            case "-p":
                let name = value()
                rule.conditions.append(isNegated ? .perhaps : name == "all" ? .always : .transport(name))
            case "--dport", "--dports":
                rule.conditions.append(isNegated ? .perhaps : .ports(ranges(value())))
            case "--ctstate", "--state": rule.conditions.append(either(value().split(separator: ",").contains("NEW")))
            // What comes from the internet comes in by another interface than `lo`; which one is not known.
            case "-i": rule.conditions.append(value() == "lo" ? either(false) : .perhaps)
            // For some only is not for everybody.
            case "-s":
                rule.conditions.append(either(false))
                _ = value()
            // The module's name; what it asks for follows.
            case "-m":
                if !["tcp", "udp", "conntrack", "state", "multiport", "comment", "limit", "addrtype"].contains(value()) {
                    rule.conditions.append(.perhaps)
                }
            case "--comment", "--limit", "--limit-burst":
                var text = value()
                // In quotes when it has blanks.
                if text.hasPrefix("\""), !(text.count > 1 && text.hasSuffix("\"")) {
                    repeat { text = value() } while !text.isEmpty && !text.hasSuffix("\"")
                }
            case "--dst-type": rule.conditions.append(either(value() == "LOCAL"))
            case "-j":
                switch value() {
                case "ACCEPT": rule.verdict = .accept
                case "DROP", "REJECT": rule.verdict = .drop
                case "RETURN": rule.verdict = .back
                case "LOG", "NFLOG", "": rule.verdict = nil
                case let chain: rule.verdict = .jump(chain)
                }
            case "-g": rule.verdict = .goto(value())
            case "--reject-with", "--log-prefix", "--log-level": _ = value()
            default: rule.conditions.append(.perhaps)
            }
            isNegated = false
        }
        return rule
    }

    /// `80`, `80,443`, `5000:5010`.
    static func ranges(_ text: String) -> [ClosedRange<Int>] {
        text.split(separator: ",").compactMap { part in
            let ends = part.split { $0 == ":" || $0 == "-" }.compactMap { Int($0) }
            guard let low = ends.first, let high = ends.last, low <= high else { return nil }
            return low...high
        }
    }
}
