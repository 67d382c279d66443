/// Any JSON.
enum JSON: Decodable, Equatable {
    case null
    case text(String)
    case flag(Bool)
    case number(Double)
    case list([JSON])
    case object([String: JSON])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let object = try? value.decode([String: JSON].self) {
            self = .object(object)
        } else if let list = try? value.decode([JSON].self) {
            self = .list(list)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let flag = try? value.decode(Bool.self) {
            self = .flag(flag)
        } else {
            self = .number(try value.decode(Double.self))
        }
    }

    /// Objects whose members are names that depend on the settings.
    private static let free: Set<String> = ["certificate.served", "ports", "versions"]

    /// The path of every member: `a.b`, and `a[].b` in a list.
    func members(below path: String = "") -> Set<String> {
        switch self {
        case .object(let object) where !Self.free.contains(path):
            object.reduce(into: []) { found, member in
                let name = path.isEmpty ? member.key : "\(path).\(member.key)"
                found.formUnion([name])
                found.formUnion(member.value.members(below: name))
            }
        case .list(let list): list.reduce(into: []) { $0.formUnion($1.members(below: path + "[]")) }
        default: []
        }
    }

    /// What is at a path; of a list, its first.
    func value(at path: some StringProtocol) -> JSON? {
        var value = self
        for step in path.split(separator: ".") {
            guard case .object(let object) = value, let next = object[String(step.prefix { $0 != "[" })] else { return nil }
            value = next
            if step.hasSuffix("[]") {
                guard case .list(let list) = value, let first = list.first else { return nil }
                value = first
            }
        }
        return value
    }

    /// The type's name in documentation.
    var kind: String {
        switch self {
        case .null: "null"
        case .text: "string"
        case .flag: "boolean"
        case .number: "number"
        case .list: "array"
        case .object: "object"
        }
    }
}
