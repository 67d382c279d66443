/// Follows a template's own text, byte by byte, in the syntax of its format: to know whether a value may stand at a place,
/// and how it has to be written there.
struct Surroundings: Equatable {
    private enum Reader: Equatable {
        case lua(LuaReader)
        case nginx(NginxReader)
        case line(LineReader)
        case html(HTMLReader)
        /// A bare word may stand anywhere.
        case word
    }
    private var reader: Reader

    init(_ format: Format) {
        reader =
            switch format {
            case .lua: .lua(LuaReader())
            case .nginx: .nginx(NginxReader())
            case .coturn: .line(LineReader(syntax: .coturn))
            case .yaml: .line(LineReader(syntax: .yaml))
            case .compose: .line(LineReader(syntax: .compose))
            case .systemd: .line(LineReader(syntax: .systemd))
            case .html: .html(HTMLReader())
            case .word: .word
            }
    }

    /// Follows one byte of text. False when the text cannot be understood or touches a value it must not touch.
    mutating func read(_ byte: UInt8) -> Bool {
        switch reader {
        case .lua(var lua):
            defer { reader = .lua(lua) }
            return lua.read(byte)
        case .nginx(var nginx):
            defer { reader = .nginx(nginx) }
            return nginx.read(byte)
        case .line(var line):
            defer { reader = .line(line) }
            return line.read(byte)
        case .html(var html):
            defer { reader = .html(html) }
            return html.read(byte)
        case .word: return true
        }
    }

    /// Where a value would stand now, and that one does; nil where none may.
    mutating func placeForValue() -> Place? {
        switch reader {
        case .lua(let lua): return lua.place
        case .nginx(var nginx):
            defer { reader = .nginx(nginx) }
            return nginx.placeForValue()
        case .line(var line):
            defer { reader = .line(line) }
            return line.placeForValue()
        case .html(var html):
            defer { reader = .html(html) }
            return html.placeForValue()
        case .word: return .whole
        }
    }
}

/// Lua: strings in quotes and line comments. Long brackets are not understood, so they are refused.
struct LuaReader: Equatable {
    private enum State: Equatable { case code, hyphen, bracket, comment(first: Bool), string(quote: UInt8, escaped: Bool) }
    private var state = State.code

    /// A value is a whole expression; in a string or a comment it would be something else.
    var place: Place? {
        switch state {
        case .code, .hyphen, .bracket: .whole
        case .comment, .string: nil
        }
    }

    mutating func read(_ byte: UInt8) -> Bool {
        switch state {
        case .comment(let first):
            if first, byte == Byte.openBracket { return false }
            state = byte == Byte.newline ? .code : .comment(first: false)
        case .string(let quote, let escaped):
            if byte == Byte.newline { return false }
            if escaped {
                state = .string(quote: quote, escaped: false)
            } else if byte == Byte.backslash {
                state = .string(quote: quote, escaped: true)
            } else if byte == quote {
                state = .code
            }
        case .hyphen where byte == Byte.hyphen: state = .comment(first: true)
        case .bracket where byte == Byte.openBracket || byte == Byte.equals: return false
        case .code, .hyphen, .bracket:
            switch byte {
            case Byte.hyphen: state = .hyphen
            case Byte.openBracket: state = .bracket
            case Byte.quote, Byte.apostrophe: state = .string(quote: byte, escaped: false)
            default: state = .code
            }
        }
        return true
    }
}

/// nginx: quotes and comments only count at the beginning of a word, so a value has to be a word of its own.
struct NginxReader: Equatable {
    private enum State: Equatable { case between, word, string(quote: UInt8, escaped: Bool), comment, afterValue }
    private var state = State.between

    mutating func placeForValue() -> Place? {
        guard state == .between else { return nil }
        state = .afterValue
        return .whole
    }

    mutating func read(_ byte: UInt8) -> Bool {
        let endsWord = Byte.isSpace(byte) || byte == Byte.semicolon || byte == Byte.openBrace || byte == Byte.closeBrace
        switch state {
        case .comment: if byte == Byte.newline { state = .between }
        case .string(let quote, let escaped):
            if escaped {
                state = .string(quote: quote, escaped: false)
            } else if byte == Byte.backslash {
                state = .string(quote: quote, escaped: true)
            } else if byte == quote {
                state = .word
            }
        case .word: if endsWord { state = .between }
        case .afterValue:
            guard endsWord else { return false }
            state = .between
        case .between:
            if byte == Byte.hash {
                state = .comment
            } else if byte == Byte.quote || byte == Byte.apostrophe {
                state = .string(quote: byte, escaped: false)
            } else if !endsWord {
                state = .word
            }
        }
        return true
    }
}
