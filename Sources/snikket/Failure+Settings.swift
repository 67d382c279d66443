import Settings

extension SettingsError: Explained {
    var explanation: Failure { Failure(self) }
}

extension Failure {
    /// Words for everything that is wrong with a settings file.
    init(_ error: SettingsError) {
        let count = error.problems.count == 1 ? "one problem" : "\(error.problems.count) problems"
        let unknown = error.problems.contains { if case .unknown = $0.kind { true } else { false } }
        // What has a line stands in the file; what else is wrong with an option that was given, too, was given so.
        let given = error.problems.filter { problem in problem.line == nil && problem.option.map(error.overridden.contains) == true }
        let isFileGood = given.count == error.problems.count
        let place = isFileGood ? "what the command line sets" : given.isEmpty ? error.file : "\(error.file) and what the command line sets"
        let correct = isFileGood ? "correct --set" : given.isEmpty ? "correct the file" : "correct both"
        self.init(
            error: "there \(error.problems.count == 1 ? "is" : "are") \(count) in \(place)",
            cause: error.problems.map(\.words).joined(separator: "\n"),
            tryThis: "\(correct); \(unknown ? "`snikket config list` shows every option" : "`snikket config explain OPTION` helps")",
            code: .configuration)
    }
}

extension Problem {
    /// `line 4: SNIKKET_DOMAIN is missing`.
    var words: String {
        let place = line.map { "line \($0): " } ?? ""
        guard let option else { return place + kind.words }
        return "\(place)\(option.quotedForTerminal(limit: 60, quotes: false)) \(kind.words)"
    }
}

extension Problem.Kind {
    /// What is wrong, as it follows the option's name.
    var words: String {
        switch self {
        case .notUTF8: "holds bytes that are no UTF-8"
        case .malformed(let malformation): malformation.words
        case .unknown(nil): "is no option"
        case .unknown(let nearest?): "is no option; did you mean \(nearest)?"
        case .setTwice(let first?): "is set a second time, after line \(first)"
        case .setTwice(nil): "is set twice"
        case .missing: "is missing"
        case .missingFor(let option, let value): "is missing, which \(option)=\(value) needs"
        case .missingBeside(let option): "is missing, which \(option) needs"
        case .needsOneOf(let options): "needs \(options.joined(separator: " or "))"
        case .excludedBy(let option): "cannot be set together with \(option)"
        case .controlCharacter(0x0A), .controlCharacter(0x0D): "has a line break in its value"
        case .controlCharacter(let scalar):
            "has a control character in its value (U+\(String(repeating: "0", count: scalar < 0x10 ? 3 : scalar < 0x100 ? 2 : 0))\(String(scalar, radix: 16, uppercase: true)))"
        case .notADomain(let problem): "is not a domain: \(problem.words)"
        case .notAnEmail(let problem): "is not an e-mail address: \(problem.words)"
        case .notANumber(let text): "is not a number: \(text.quotedForTerminal())"
        case .outOfRange(let text, let lowest, let highest):
            "has to be from \(lowest) to \(highest), and is \(text.quotedForTerminal(quotes: false))"
        case .notOneOf(let text, let values):
            "has to be \(values.dropLast().joined(separator: ", ")) or \(values.last ?? ""), and is \(text.quotedForTerminal())"
        case .notAURI(nil, let schemes, let problem): "is no address of a server: its value \(problem.words(schemes: schemes))"
        case .notAURI(let text?, let schemes, let problem):
            "is not a web address: \(text.quotedForTerminal()) \(problem.words(schemes: schemes))"
        case .notAPath(let text): "has to be an absolute path, and \(text.quotedForTerminal()) does not begin with /"
        case .notAnAddress(let text): "is not an IP address: \(text.quotedForTerminal())"
        case .notPrivate(let text): "has to be a loopback or private address, and \(text.quotedForTerminal()) may be reached from the internet"
        case .notHours(let text): "is not two different hours of the day, such as 3-5: \(text.quotedForTerminal())"
        case .notARecipient(let text): "is not a recipient of age: \(text.quotedForTerminal()); `age-keygen` makes one"
        case .leavesNothing(let option): "cannot be off together with \(option): nothing would be left"
        case .portUsedTwice(let port, let other): "uses port \(port), and so does \(other)"
        case .rangeReversed(let lowest, let highest): "makes a range of ports that begins at \(lowest) and ends before that, at \(highest)"
        case .rangeHoldsPort(let port, let other):
            "puts port \(port) of \(other) into the range of SNIKKET_TWEAK_TURNSERVER_MIN_PORT to SNIKKET_TWEAK_TURNSERVER_MAX_PORT"
        }
    }
}

extension Problem.Malformation {
    var words: String {
        switch self {
        case .noEqualsSign: "is not followed by `=` and a value"
        case .badName(let name): "what stands before the `=` is no name of an option: \(name.quotedForTerminal())"
        case .unclosedQuote(let quote): "has a value that begins with \(quote) and does not end with it on the same line"
        case .textBehindQuote(let text): "has something behind the closing quote: \(text.quotedForTerminal())"
        }
    }
}

extension Problem.DomainProblem {
    var words: String {
        switch self {
        case .space: "there is a space in it"
        case .isURL: "it is a web address; leave out the https:// and what follows the name"
        case .isAddress: "there is an @ in it; only what stands behind the @ is the domain"
        case .hasPort: "there is a port behind it"
        case .isIPAddress: "it is an IP address, and has to be a name"
        case .singleLabel: "there is no dot in it"
        case .emptyLabel: "it begins or ends with a dot, or has two in a row"
        case .labelTooLong(let label): "\(label.quotedForTerminal()) is longer than 63 characters"
        case .tooLong(let length, let highest): "it has \(length) characters, and \(highest) are possible"
        case .hyphenAtEdge(let label): "\(label.quotedForTerminal()) begins or ends with a hyphen"
        case .badCharacter(let character): "\(String(character).quotedForTerminal()) cannot be in a domain"
        case .numericTopLevel(let label): "its last part, \(label.quotedForTerminal()), is a number"
        case .notConvertible(let name): "it cannot be written in ASCII as the DNS needs it (\(name))"
        }
    }
}

extension Problem.EmailProblem {
    var words: String {
        switch self {
        case .noAt: "there is no @ in it"
        case .twoAts: "there is more than one @ in it"
        case .emptyLocalPart: "nothing stands before the @"
        case .localPartTooLong(let length): "\(length) characters stand before the @, and 64 are possible"
        case .misplacedDot: "before the @ there is a dot at an end, or two in a row"
        case .badCharacter(let character): "\(String(character).quotedForTerminal()) cannot stand before the @"
        case .domain(let problem): "behind the @, \(problem.words)"
        }
    }
}

extension Problem.URIProblem {
    func words(schemes: [String]) -> String {
        switch self {
        case .scheme: "does not begin with " + schemes.map { $0 == "mailto" ? "mailto:" : $0 + "://" }.joined(separator: " or ")
        case .noHost: "has no proper host name or address in it"
        case .badCharacter(let character): "has \(String(character).quotedForTerminal()) in it, which has to be percent-encoded"
        case .noToken: "has to have {token} in it, and no other braces"
        }
    }
}

extension String {
    /// Something that a person wrote, shortened, and without anything that steers a terminal.
    func quotedForTerminal(limit: Int = 60, quotes: Bool = true) -> String {
        var text = ""
        for scalar in unicodeScalars.prefix(limit) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                text += "\\u{\(String(scalar.value, radix: 16))}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        if unicodeScalars.count > limit { text += "..." }
        return quotes ? "\"\(text)\"" : text
    }
}
