internal import FoundationEssentials

/// Any JSON.
indirect enum JSONValue: Decodable, Sendable, Equatable {
    case text(String), number(Int), list([JSONValue]), object([String: JSONValue]), other

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let number = try? value.decode(Int.self) {
            self = .number(number)
        } else if let list = try? value.decode([JSONValue].self) {
            self = .list(list)
        } else if let object = try? value.decode([String: JSONValue].self) {
            self = .object(object)
        } else {
            self = .other
        }
    }

    subscript(key: String) -> JSONValue? { if case .object(let members) = self { members[key] } else { nil } }
    var text: String? { if case .text(let text) = self { text } else { nil } }
    var number: Int? { if case .number(let number) = self { number } else { nil } }
    var list: [JSONValue]? { if case .list(let list) = self { list } else { nil } }
    /// The name of the only member.
    var key: String? { if case .object(let members) = self { members.keys.first } else { nil } }
}

extension PacketFilter {
    /// What `nft -j list ruleset` printed (libnftables-json(5)); nil when it cannot be read.
    ///
    /// Tables that hold iptables' own expressions are left out: iptables-save shows those.
    init?(nftables json: [UInt8]) {
        guard let whole = try? JSONDecoder().decode(JSONValue.self, from: Data(json)), let items = whole["nftables"]?.list else { return nil }
        let rules = items.compactMap { $0["rule"] }
        let foreign = Set(rules.filter { $0["expr"]?.list?.contains { $0["xt"] != nil } ?? false }.compactMap(Self.table))
        var sets: [String: [JSONValue]] = [:]
        for set in items.compactMap({ $0["set"] }) {
            if let table = Self.table(set), let name = set["name"]?.text { sets["\(table) \(name)"] = set["elem"]?.list ?? [] }
        }
        var entries: [(priority: Int, name: String)] = []
        for chain in items.compactMap({ $0["chain"] }) {
            guard let table = Self.table(chain), let name = chain["name"]?.text, !foreign.contains(table) else { continue }
            let full = "\(table) \(name)"
            chains[full] = Chain(policy: chain["policy"]?.text == "drop" ? .dropped : .accepted)
            if chain["hook"]?.text == "input", chain["type"]?.text == "filter" { entries.append((chain["prio"]?.number ?? 0, full)) }
        }
        for rule in rules {
            guard let table = Self.table(rule), let chain = rule["chain"]?.text, chains["\(table) \(chain)"] != nil else { continue }
            chains["\(table) \(chain)"]?.rules.append(Self.rule(rule["expr"]?.list ?? [], table: table, sets: sets))
        }
        self.entries = entries.sorted { $0.priority < $1.priority }.map(\.name)
    }

    /// Family and name: of those that see IPv4.
    private static func table(_ item: JSONValue) -> String? {
        guard let family = item["family"]?.text, ["ip", "inet"].contains(family), let table = item["table"]?.text else { return nil }
        return "\(family) \(table)"
    }

    private static func rule(_ expressions: [JSONValue], table: String, sets: [String: [JSONValue]]) -> Rule {
        var rule = Rule()
        for expression in expressions {
            switch expression.key ?? expression.text ?? "" {
            case "match":
                guard let match = expression["match"] else { continue }
                rule.conditions += conditions(match, table: table, sets: sets)
            case "accept": rule.verdict = .accept
            case "drop", "reject": rule.verdict = .drop
            case "return": rule.verdict = .back
            case "jump": rule.verdict = expression["jump"]?["target"]?.text.map { .jump("\(table) \($0)") }
            case "goto": rule.verdict = expression["goto"]?["target"]?.text.map { .goto("\(table) \($0)") }
            case "vmap": map(expression["vmap"], table: table, into: &rule)
            // A first connection is within any limit.
            case "counter", "log", "limit", "comment": break
            default: rule.conditions.append(.perhaps)
            }
        }
        return rule
    }

    private static func conditions(_ match: JSONValue, table: String, sets: [String: [JSONValue]]) -> [Condition] {
        let isNegated = match["op"]?.text == "!="
        guard let left = match["left"], var right = match["right"], ["==", "in", "!="].contains(match["op"]?.text) else { return [.perhaps] }
        // `@name`: an own set of the table's.
        if let name = right.text, name.hasPrefix("@") { right = .list(sets["\(table) \(name.dropFirst())"] ?? []) }
        func either(_ isTrue: Bool) -> [Condition] { [isTrue != isNegated ? .always : .never] }
        if let payload = left["payload"] {
            let transports: [Condition] =
                switch payload["protocol"]?.text {
                case "tcp", "udp": [.transport(payload["protocol"]?.text ?? "")]
                default: []
                }
            // For some only is not for everybody.
            if payload["field"]?.text == "saddr" { return either(false) }
            guard payload["field"]?.text == "dport", !isNegated else { return transports + [.perhaps] }
            return transports + [.ports(ranges(right))]
        }
        switch left["meta"]?["key"]?.text ?? left["ct"]?["key"]?.text {
        case "l4proto" where !isNegated:
            let names = (right["set"]?.list ?? right.list ?? [right]).compactMap(\.text)
            let ours = names.filter { $0 == "tcp" || $0 == "udp" }
            return ours.count == 1 ? [.transport(ours[0])] : either(ours.count == 2)
        case "iifname", "iif": return right.text == "lo" ? either(false) : [.perhaps]
        case "nfproto": return either(right.text == "ipv4")
        case "state":
            let states = (right["set"]?.list ?? right.list ?? [right]).compactMap(\.text)
            return either(states.contains("new"))
        case "pkttype": return either(right.text == "host" || right.text == "unicast")
        default: return [.perhaps]
        }
    }

    private static func map(_ vmap: JSONValue?, table: String, into rule: inout Rule) {
        guard let key = vmap?["key"], let pairs = vmap?["data"]?["set"]?.list else { return rule.conditions.append(.perhaps) }
        func verdict(_ value: JSONValue) -> Verdict? {
            switch value.key {
            case "accept": .accept
            case "drop": .drop
            case "return": .back
            case "jump": value["jump"]?["target"]?.text.map { .jump("\(table) \($0)") }
            case "goto": value["goto"]?["target"]?.text.map { .goto("\(table) \($0)") }
            default: nil
            }
        }
        if key["ct"]?["key"]?.text == "state" {
            rule.verdict = pairs.first { $0.list?.first?.text == "new" }?.list?.last.flatMap(verdict)
        } else if key["payload"]?["field"]?.text == "dport" {
            if let transport = key["payload"]?["protocol"]?.text, transport != "th" { rule.conditions.append(.transport(transport)) }
            rule.verdict = .map(
                pairs.compactMap { pair in
                    guard let list = pair.list, list.count == 2, let verdict = verdict(list[1]) else { return nil }
                    return (ranges(list[0]), verdict)
                })
        } else if ["iifname", "iif"].contains(key["meta"]?["key"]?.text) {
            // `lo` is not where the internet comes in; another interface may be.
            let others = pairs.filter { $0.list?.first?.text != "lo" }
            if let first = others.first?.list?.last.flatMap(verdict) { (rule.verdict, rule.conditions) = (first, rule.conditions + [.perhaps]) }
        } else {
            rule.conditions.append(.perhaps)
            rule.verdict = .accept
        }
    }

    private static func ranges(_ value: JSONValue) -> [ClosedRange<Int>] {
        if let number = value.number { return [number...number] }
        if let list = value.list ?? value["set"]?.list { return list.flatMap(ranges) }
        if let element = value["elem"]?["val"] { return ranges(element) }
        if let ends = value["range"]?.list, ends.count == 2, let low = ends[0].number, let high = ends[1].number, low <= high { return [low...high] }
        return []
    }
}
