/// The formats in which a value is the end of its line: coturn (`name=value`), YAML (`key: value`, `- value`; in compose.yaml `value:` too) and
/// systemd (`Key=value`; `Key=word word` for the keys that take words).
struct LineReader: Equatable {
    enum Syntax: Equatable { case coturn, yaml, compose, systemd }
    let syntax: Syntax
    private var line: [UInt8] = []
    private var afterValue = false
    /// Whether that value stands at the beginning of its line, and so has to be a key.
    private var isKey = false

    init(syntax: Syntax) { self.syntax = syntax }

    mutating func read(_ byte: UInt8) -> Bool {
        if byte == Byte.newline {
            line = []
            defer { (afterValue, isKey) = (false, false) }
            return !isKey
        }
        if isKey {
            (afterValue, isKey) = (false, false)
            line.append(byte)
            return byte == UInt8(ascii: ":")
        }
        if afterValue {
            guard syntax == .systemd, takesWords, byte == Byte.space else { return false }
            afterValue = false
        }
        line.append(byte)
        return true
    }

    mutating func placeForValue() -> Place? {
        guard !afterValue, !isComment, let place else { return nil }
        afterValue = true
        isKey = syntax == .compose && line.allSatisfy(Byte.isBlank)
        return place
    }

    private var place: Place? {
        switch syntax {
        case .coturn: line.last == Byte.equals ? .whole : nil
        case .compose where line.allSatisfy(Byte.isBlank): .whole
        case .yaml, .compose:
            line.suffix(2) == [UInt8(ascii: ":"), Byte.space] || line.drop(while: Byte.isBlank) == [Byte.hyphen, Byte.space]
                ? isQuoted ? nil : .whole : nil
        case .systemd:
            if takesWords {
                line.last == Byte.equals || (line.last == Byte.space && !isQuoted) ? .systemdWord : nil
            } else {
                line.last == Byte.equals && line.count(where: { $0 == Byte.equals }) == 1 ? .whole : nil
            }
        }
    }

    private var isComment: Bool {
        guard let first = line.first(where: { !Byte.isBlank($0) }) else { return false }
        return first == Byte.hash || (syntax == .systemd && first == Byte.semicolon)
    }

    private var isQuoted: Bool { line.contains(Byte.quote) || line.contains(Byte.apostrophe) || line.contains(Byte.hash) }

    /// systemd.exec(5), systemd.service(5): these split their value into words and undo quotes.
    private var takesWords: Bool {
        guard syntax == .systemd, let end = line.firstIndex(of: Byte.equals) else { return false }
        let key = String(decoding: line[..<end], as: UTF8.self)
        return key.hasPrefix("Exec") || key.hasSuffix("Paths") || key == "Environment"
    }
}
