/// Reads a template's text into nodes, and follows the format's own syntax to know what surrounds each value.
struct TemplateParser {
    private let name: String
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1
    private var surroundings: Surroundings

    init(text: String, name: String, format: Format) {
        self.name = name
        bytes = Array(text.utf8)
        surroundings = Surroundings(format)
    }

    private enum Tag: Equatable {
        case value(String)
        case open(block: String, name: String)
        case otherwise
        case close(String)
        case comment

        var standsAlone: Bool {
            if case .value = self { false } else { true }
        }
    }

    private enum End: Equatable { case file, otherwise, close(String) }

    mutating func parse() throws(TemplateError) -> [Node] {
        let (nodes, end, endLine) = try sequence()
        switch end {
        case .file: break
        case .otherwise: throw failure(.unexpectedTag("else"), at: endLine)
        case .close(let block): throw failure(.unexpectedTag("/" + block), at: endLine)
        }
        return nodes
    }

    /// Nodes up to the tag that ends them.
    private mutating func sequence() throws(TemplateError) -> (nodes: [Node], end: End, line: Int) {
        var nodes: [Node] = []
        while true {
            let text = textUpToTag()
            try read(text)
            guard position < bytes.count else {
                if !text.isEmpty { nodes.append(.text(text)) }
                return (nodes, .file, line)
            }
            let tagLine = line
            let start = position
            let tag = try readTag()
            var kept = text
            if tag.standsAlone, let indent = indentation(before: start), skipToNextLine() {
                kept.removeLast(min(indent, kept.count))
                _ = surroundings.read(Byte.newline)
            }
            if !kept.isEmpty { nodes.append(.text(kept)) }
            switch tag {
            case .comment: break
            case .value(let name):
                guard let place = surroundings.placeForValue() else { throw failure(.misplacedValue(name), at: tagLine) }
                nodes.append(.value(name, line: tagLine, place))
            case .open("if", let name): nodes.append(try condition(name, tagLine))
            case .open(_, let name):
                let before = surroundings
                let body = try sequence()
                guard body.end == .close("each") else { throw failure(.unclosedBlock, at: tagLine) }
                guard surroundings == before else { throw failure(.unbalancedBlock(name), at: tagLine) }
                nodes.append(.loop(name, line: tagLine, body: body.nodes))
            case .otherwise: return (nodes, .otherwise, tagLine)
            case .close(let block): return (nodes, .close(block), tagLine)
            }
        }
    }

    private mutating func condition(_ name: String, _ tagLine: Int) throws(TemplateError) -> Node {
        let before = surroundings
        let then = try sequence()
        guard surroundings == before else { throw failure(.unbalancedBlock(name), at: tagLine) }
        var otherwise: [Node] = []
        var end = then.end
        if end == .otherwise {
            let branch = try sequence()
            guard surroundings == before else { throw failure(.unbalancedBlock(name), at: tagLine) }
            (otherwise, end) = (branch.nodes, branch.end)
        }
        guard end == .close("if") else { throw failure(.unclosedBlock, at: tagLine) }
        return .condition(name, line: tagLine, then: then.nodes, otherwise: otherwise)
    }

    private mutating func textUpToTag() -> [UInt8] {
        let start = position
        while position < bytes.count, !(bytes[position] == Byte.openBrace && next == Byte.openBrace) { position += 1 }
        return Array(bytes[start..<position])
    }

    private var next: UInt8? { position + 1 < bytes.count ? bytes[position + 1] : nil }

    private mutating func read(_ text: [UInt8]) throws(TemplateError) {
        for byte in text {
            if byte == Byte.newline { line += 1 }
            guard surroundings.read(byte) else {
                throw failure(.unsupportedText(String(decoding: text.suffix(40), as: UTF8.self)), at: line)
            }
        }
    }

    private mutating func readTag() throws(TemplateError) -> Tag {
        let tagLine = line
        let start = position + 2
        var end = start
        while end + 1 < bytes.count, !(bytes[end] == Byte.closeBrace && bytes[end + 1] == Byte.closeBrace) {
            if bytes[end] == Byte.newline { line += 1 }
            end += 1
        }
        guard end + 1 < bytes.count else { throw failure(.malformedTag, at: tagLine) }
        position = end + 2
        let content = String(decoding: bytes[start..<end], as: UTF8.self)
        if content.hasPrefix("!") { return .comment }
        let words = content.split(whereSeparator: \.isWhitespace).map(String.init)
        switch (words.first ?? "", words.count) {
        case ("else", 1): return .otherwise
        case ("/if", 1), ("/each", 1): return .close(String(words[0].dropFirst()))
        case ("#if", 2), ("#each", 2):
            guard Self.isName(words[1]) else { throw failure(.malformedTag, at: tagLine) }
            return .open(block: String(words[0].dropFirst()), name: words[1])
        case (let word, 1) where Self.isName(word): return .value(word)
        default: throw failure(.malformedTag, at: tagLine)
        }
    }

    private static func isName(_ word: String) -> Bool {
        word.first.map { $0.isASCII && $0.isLetter } == true && word.utf8.allSatisfy(Byte.isNameByte)
    }

    /// How many blanks stand between the beginning of the line and here; nil when anything else does.
    private func indentation(before start: Int) -> Int? {
        var index = start
        while index > 0, Byte.isBlank(bytes[index - 1]) { index -= 1 }
        return index == 0 || bytes[index - 1] == Byte.newline ? start - index : nil
    }

    /// Goes to the next line when nothing but blanks is left on this one. The line break of a tag's own line is no text.
    private mutating func skipToNextLine() -> Bool {
        var index = position
        while index < bytes.count, Byte.isBlank(bytes[index]) { index += 1 }
        guard index < bytes.count, bytes[index] == Byte.newline else { return false }
        position = index + 1
        line += 1
        return true
    }

    private func failure(_ problem: TemplateError.Problem, at line: Int) -> TemplateError {
        TemplateError(template: name, line: line, problem: problem)
    }
}
