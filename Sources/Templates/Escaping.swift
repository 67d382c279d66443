/// Why a value cannot be written at its place.
enum Inexpressible: Error {
    case scalar(UnicodeScalar)
    case kind
    case link
    case length

    func problem(of name: String) -> TemplateError.Problem {
        switch self {
        case .scalar(let scalar): .inexpressible(name: name, scalar)
        case .kind: .wrongKind(name)
        case .link: .unsafeLink(name)
        case .length: .tooLong(name)
        }
    }
}

extension Format {
    /// Writes a value so that the format's own reader reads exactly it.
    func write(_ value: Value, _ place: Place, to output: inout [UInt8]) throws(Inexpressible) {
        switch value {
        case .text(let text): try write(text: text, place, to: &output)
        case .number(let number): output += Array(String(number).utf8)
        case .flag(let flag):
            switch self {
            case .lua, .yaml, .compose: output += Array((flag ? "true" : "false").utf8)
            case .systemd: output += Array((flag ? "yes" : "no").utf8)
            // nginx has on and off, coturn has lines that are there or not, HTML has attributes: conditions, all of them.
            case .nginx, .coturn, .word, .html: throw .kind
            }
        case .list(let list): try write(list: list, place, to: &output)
        case .html(let html):
            guard self == .html, place == .whole else { throw .kind }
            output += Array(html.description.utf8)
        case .rows, .absent: throw .kind
        }
    }

    private func write(list: [Value], _ place: Place, to output: inout [UInt8]) throws(Inexpressible) {
        let (open, separator, close) =
            switch self {
            case .lua: ("{ ", "; ", " }")
            case .yaml, .compose: ("[", ", ", "]")
            case .nginx, .word: ("", " ", "")
            case .systemd where place == .systemdWord: ("", " ", "")
            case .systemd, .coturn, .html: throw .kind
            }
        // An empty list of words would leave a line that says something else.
        if list.isEmpty, open.isEmpty { throw .kind }
        output += Array(open.utf8)
        for (index, value) in list.enumerated() {
            if index > 0 { output += Array(separator.utf8) }
            try write(value, place, to: &output)
        }
        output += Array(close.utf8)
    }

    private func write(text: String, _ place: Place, to output: inout [UInt8]) throws(Inexpressible) {
        if let nul = text.unicodeScalars.first(where: { $0.value == 0 }) { throw .scalar(nul) }
        switch self {
        case .lua: Lua.write(text, to: &output)
        case .nginx: try Nginx.write(text, to: &output)
        case .coturn: try Coturn.write(text, to: &output)
        case .yaml: YAMLScalar.write(text, to: &output)
        case .compose: YAMLScalar.write(text.split(separator: "$", omittingEmptySubsequences: false).joined(separator: "$$"), to: &output)
        case .word: try BareWord.write(text, to: &output)
        case .systemd:
            // systemd takes text with noncharacters for no UTF-8 at all and ignores the line.
            if let scalar = text.unicodeScalars.first(where: \.properties.isNoncharacterCodePoint) { throw .scalar(scalar) }
            if place == .systemdWord { Systemd.write(word: text, to: &output) } else { try Systemd.write(line: text, to: &output) }
        case .html:
            if place == .link { try Markup.check(link: text) }
            try Markup.write(text, to: &output)
        }
    }
}

/// Lua 5.4 reference manual §3.1.
private enum Lua {
    static func write(_ text: String, to output: inout [UInt8]) {
        output.append(Byte.quote)
        for byte in text.utf8 {
            switch byte {
            case Byte.quote, Byte.backslash: output += [Byte.backslash, byte]
            // Three digits, so that a digit that follows is not taken for a part of it.
            case 0..<0x20, 0x7F: output += [Byte.backslash] + (byte < 10 ? "00" : byte < 100 ? "0" : "").utf8 + String(byte).utf8
            default: output.append(byte)
            }
        }
        output.append(Byte.quote)
    }
}

/// ngx_conf_read_token: in double quotes, a backslash before `"` and `\` is taken away.
private enum Nginx {
    static func write(_ text: String, to output: inout [UInt8]) throws(Inexpressible) {
        output.append(Byte.quote)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "$": throw .scalar(scalar)
            case "\"", "\\": output += [Byte.backslash, UInt8(ascii: scalar)]
            default:
                if scalar.isControl { throw .scalar(scalar) }
                output += Array(String(scalar).utf8)
            }
        }
        output.append(Byte.quote)
    }
}

/// coturn reads lines of up to 1024 bytes, cuts blanks at both ends and `=` at the beginning, and takes a value's quotes away.
private enum Coturn {
    static let longestValue = 900

    static func write(_ text: String, to output: inout [UInt8]) throws(Inexpressible) {
        if let control = text.unicodeScalars.first(where: \.isControl) { throw .scalar(control) }
        guard text.utf8.count <= longestValue else { throw .length }
        let ends = [text.unicodeScalars.first, text.unicodeScalars.last].compactMap { $0 }
        if ends.isEmpty { throw .kind }
        if let end = ends.first(where: { $0 == " " || $0 == "\"" }) { throw .scalar(end) }
        // `name==value` is read as `name=value`.
        if let first = ends.first, first == "=" { throw .scalar(first) }
        output += Array(text.utf8)
    }
}

/// What no configuration file reads as anything but itself.
private enum BareWord {
    static func write(_ text: String, to output: inout [UInt8]) throws(Inexpressible) {
        if text.isEmpty { throw .kind }
        if let bad = text.unicodeScalars.first(where: { !isPlain($0) }) { throw .scalar(bad) }
        // An option, for whoever reads it as one.
        if text.hasPrefix("-") { throw .scalar("-") }
        output += Array(text.utf8)
    }

    private static func isPlain(_ scalar: UnicodeScalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", ".", ":", "/", "-", "_", "[", "]": true
        default: false
        }
    }
}

/// YAML 1.2 §5.7, §7.3.1: double-quoted, everything that is not printable escaped.
private enum YAMLScalar {
    static func write(_ text: String, to output: inout [UInt8]) {
        output.append(Byte.quote)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": output += [Byte.backslash, UInt8(ascii: scalar)]
            case "\n": output += "\\n".utf8
            default:
                if scalar.isControl || [0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF].contains(scalar.value) {
                    let digits = String(scalar.value, radix: 16)
                    output += Array(("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8)
                } else {
                    output += Array(String(scalar).utf8)
                }
            }
        }
        output.append(Byte.quote)
    }
}

/// systemd.syntax(7), systemd.unit(5) "Specifiers", systemd.service(5) "Command lines".
private enum Systemd {
    static func write(line text: String, to output: inout [UInt8]) throws(Inexpressible) {
        if let control = text.unicodeScalars.first(where: \.isControl) { throw .scalar(control) }
        // A backslash at the end would join the next line; blanks at the ends would be cut.
        if let last = text.unicodeScalars.last, last == "\\" || last == " " { throw .scalar(last) }
        if let first = text.unicodeScalars.first, first == " " { throw .scalar(first) }
        for byte in text.utf8 { output += byte == UInt8(ascii: "%") ? [byte, byte] : [byte] }
    }

    static func write(word text: String, to output: inout [UInt8]) {
        output.append(Byte.quote)
        for byte in text.utf8 {
            switch byte {
            case Byte.quote, Byte.backslash: output += [Byte.backslash, byte]
            case UInt8(ascii: "%"), UInt8(ascii: "$"): output += [byte, byte]
            case 0..<0x20, 0x7F: output += Array("\\x\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8)
            default: output.append(byte)
            }
        }
        output.append(Byte.quote)
    }
}

/// HTML §13.1.2: text and double-quoted attributes.
private enum Markup {
    static func write(_ text: String, to output: inout [UInt8]) throws(Inexpressible) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": output += "&amp;".utf8
            case "<": output += "&lt;".utf8
            case ">": output += "&gt;".utf8
            case "\"": output += "&quot;".utf8
            case "'": output += "&#39;".utf8
            // A bare carriage return would be read as a line feed.
            case "\r": output += "&#13;".utf8
            case "\n", "\t": output.append(UInt8(ascii: scalar))
            default:
                if scalar.isControl { throw .scalar(scalar) }
                output += Array(String(scalar).utf8)
            }
        }
    }

    /// A link is relative to this site, or of a scheme that cannot run anything in the page.
    static func check(link: String) throws(Inexpressible) {
        let lower = link.lowercased()
        let isRelative = ["/", "?", "#"].contains { lower.hasPrefix($0) }
        let isKnown = ["https://", "http://", "xmpp:", "mailto:", "data:image/"].contains { lower.hasPrefix($0) }
        guard isRelative || isKnown else { throw .link }
    }
}

extension UnicodeScalar {
    /// C0, DEL and C1 (Unicode category Cc).
    fileprivate var isControl: Bool { value < 0x20 || (value >= 0x7F && value < 0xA0) }
}
