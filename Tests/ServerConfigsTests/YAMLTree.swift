import CYAML

/// A YAML document as libyaml reads it.
indirect enum YAMLTree: Equatable {
    case scalar(String)
    case list([YAMLTree])
    case map([String: YAMLTree])

    struct Failed: Error { let line: Int }

    /// The one document of a text.
    init(_ text: String) throws {
        var parser = yaml_parser_t()
        guard yaml_parser_initialize(&parser) == 1 else { throw Failed(line: 0) }
        defer { yaml_parser_delete(&parser) }
        let bytes = Array(text.utf8)
        self = try bytes.withUnsafeBufferPointer { input in
            yaml_parser_set_input_string(&parser, input.baseAddress, input.count)
            while true {
                if let tree = try Self.next(&parser) { return tree }
            }
        }
    }

    /// The next node; nil for what is no node: the begin of a stream or a document, the end of a list or a map.
    private static func next(_ parser: inout yaml_parser_t) throws -> YAMLTree? {
        var event = yaml_event_t()
        guard yaml_parser_parse(&parser, &event) == 1 else { throw Failed(line: parser.problem_mark.line + 1) }
        defer { yaml_event_delete(&event) }
        switch event.type {
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            return .scalar(String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self))
        case YAML_SEQUENCE_START_EVENT:
            var list: [YAMLTree] = []
            while let item = try next(&parser) { list.append(item) }
            return .list(list)
        case YAML_MAPPING_START_EVENT:
            var map: [String: YAMLTree] = [:]
            while case .scalar(let key)? = try next(&parser) {
                guard let value = try next(&parser), map.updateValue(value, forKey: key) == nil else { throw Failed(line: parser.mark.line + 1) }
            }
            return .map(map)
        // An alias would be somebody's `*`.
        case YAML_ALIAS_EVENT, YAML_STREAM_END_EVENT: throw Failed(line: event.start_mark.line + 1)
        default: return nil
        }
    }

    /// As Compose reads it: `$$` is a dollar, and a variable is what nobody has written.
    func interpolated() throws -> YAMLTree {
        switch self {
        case .scalar(let text): return .scalar(try Self.interpolated(text))
        case .list(let list): return .list(try list.map { try $0.interpolated() })
        case .map(let map):
            return .map(try Dictionary(uniqueKeysWithValues: map.map { (try Self.interpolated($0.key), try $0.value.interpolated()) }))
        }
    }

    private static func interpolated(_ text: String) throws -> String {
        let parts = text.unicodeScalars.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count % 2 == 1 else { throw Failed(line: 0) }
        var result = ""
        for (index, part) in parts.enumerated() {
            if index % 2 == 1 {
                guard part.isEmpty else { throw Failed(line: 0) }
                result += "$"
            } else {
                result.unicodeScalars += part
            }
        }
        return result
    }

    /// A member of a map.
    subscript(_ key: String) -> YAMLTree? {
        if case .map(let map) = self { map[key] } else { nil }
    }

    static func texts(_ texts: [String]) -> YAMLTree { .list(texts.map(YAMLTree.scalar)) }
}
