/// The lines of a settings file: KEY=VALUE, as Docker's `env_file` has it.
///
/// Blank lines and lines that begin with `#` mean nothing. A value may stand in double quotes, where a backslash escapes,
/// or in single quotes, where nothing does. A value without quotes ends before a `#` with a space before it. `export` before
/// the name, spaces around the `=`, CRLF and a byte order mark are tolerated. `$` means nothing.
struct ConfigurationFile: Sendable, Equatable {
    /// An assignment, in the order of the file.
    struct Assignment: Sendable, Equatable {
        var line: Int?
        var name: String
        var value: String
    }

    var assignments: [Assignment] = []
    var problems: [Problem] = []

    init(parsing text: String) {
        var scalars = text.unicodeScalars[...]
        if scalars.first == "\u{FEFF}" { scalars.removeFirst() }
        for (index, var line) in scalars.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.last == "\r" { line.removeLast() }
            read(String(line), number: index + 1)
        }
    }

    private mutating func read(_ line: String, number: Int) {
        let text = line.trimmed
        if text.isEmpty || text.unicodeScalars.first == "#" { return }
        guard let equals = text.unicodeScalars.firstIndex(of: "=") else {
            problems.append(Problem(line: number, option: Self.isName(text) ? text : nil, kind: .malformed(.noEqualsSign)))
            return
        }
        var name = String(text[..<equals]).trimmed
        if name.hasPrefix("export "), case let exported = String(name.dropFirst("export ".count)).trimmed { name = exported }
        guard Self.isName(name) else {
            problems.append(Problem(line: number, option: nil, kind: .malformed(.badName(name))))
            return
        }
        do throws(Problem.Kind) {
            let value = try Self.value(String(text.unicodeScalars[equals...].dropFirst()).trimmed)
            assignments.append(Assignment(line: number, name: name, value: value))
        } catch {
            problems.append(Problem(line: number, option: name, kind: error))
            // The option is there, though its value is not: it is not missing too.
            assignments.append(Assignment(line: number, name: name, value: ""))
        }
    }

    /// Whether a text can be the name of an environment variable.
    private static func isName(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, !("0"..."9").contains(first) else { return false }
        return text.unicodeScalars.allSatisfy { scalar in
            switch scalar {
            case "A"..."Z", "a"..."z", "0"..."9", "_": true
            default: false
            }
        }
    }

    private static func value(_ text: String) throws(Problem.Kind) -> String {
        let value: String
        // Scalars, not characters: a combining mark behind a quote does not make it another character here.
        switch text.unicodeScalars.first {
        case "\"": value = try quoted(text, by: "\"", escaping: true)
        case "'": value = try quoted(text, by: "'", escaping: false)
        default: value = withoutComment(text)
        }
        if let control = value.unicodeScalars.first(where: \.isControl) { throw .controlCharacter(control.value) }
        return value
    }

    /// What is between the quotes, when nothing but a comment stands behind them.
    private static func quoted(_ text: String, by quote: Unicode.Scalar, escaping: Bool) throws(Problem.Kind) -> String {
        var value = String.UnicodeScalarView()
        var scalars = text.unicodeScalars.dropFirst()
        while let scalar = scalars.popFirst() {
            if scalar == quote {
                let behind = String(scalars)
                guard behind.trimmed.isEmpty || behind.trimmed.unicodeScalars.first == "#" else {
                    throw .malformed(.textBehindQuote(behind.trimmed))
                }
                return String(value)
            }
            guard escaping, scalar == "\\", let next = scalars.first else {
                value.append(scalar)
                continue
            }
            if let meant = Self.escapes[next] {
                scalars.removeFirst()
                value.append(meant)
            } else {
                value.append(scalar)
            }
        }
        throw .malformed(.unclosedQuote(Character(quote)))
    }

    /// What a backslash in double quotes makes of the next character. Line breaks are made too: they are refused then, and
    /// not silently something else than with Docker.
    private static let escapes: [Unicode.Scalar: Unicode.Scalar] = [
        "\\": "\\", "\"": "\"", "$": "$", "n": "\n", "r": "\r", "t": "\t",
    ]

    private static func withoutComment(_ text: String) -> String {
        var previous: Unicode.Scalar = " "
        for index in text.unicodeScalars.indices {
            let scalar = text.unicodeScalars[index]
            if scalar == "#", previous.isBlank { return String(text[..<index]).trimmed }
            previous = scalar
        }
        return text
    }
}

extension ConfigurationFile {
    /// The line that gives an option a value, read back as the same value.
    static func line(setting name: String, to value: String) -> String {
        let first = value.unicodeScalars.first
        let needsQuotes = value.trimmed != value || first == "'" || first == "\"" || withoutComment(value) != value
        guard needsQuotes else { return "\(name)=\(value)" }
        var quoted = String.UnicodeScalarView()
        for scalar in value.unicodeScalars {
            if escapes.values.contains(scalar) { quoted.append("\\") }
            quoted.append(scalar)
        }
        return "\(name)=\"\(String(quoted))\""
    }
}

extension Unicode.Scalar {
    /// A space or a tab.
    fileprivate var isBlank: Bool { self == " " || self == "\t" }

    /// A character that ends lines or steers terminals: it is in no value.
    var isControl: Bool {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}

extension String {
    /// Without spaces and tabs at both ends.
    fileprivate var trimmed: String {
        var scalars = unicodeScalars[...]
        while let first = scalars.first, first.isBlank { scalars.removeFirst() }
        while let last = scalars.last, last.isBlank { scalars.removeLast() }
        return String(scalars)
    }
}
