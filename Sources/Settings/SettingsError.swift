/// Everything that is wrong with a settings file, at once.
public struct SettingsError: Error, Sendable, Equatable {
    /// The file's path, as it was given.
    public var file: String
    /// What is wrong, in the order of the lines; what has no line comes last. Never empty.
    public var problems: [Problem]
    /// The options that came from the command line, by name.
    public var overridden: Set<String>

    /// The problems of a file.
    public init(file: String, problems: [Problem], overridden: Set<String> = []) {
        self.file = file
        self.problems = problems
        self.overridden = overridden
    }
}

/// One thing that is wrong.
public struct Problem: Sendable, Equatable {
    /// The line of the file, from 1; nil when the option is missing or came from the command line.
    public var line: Int?
    /// The option's name as it was written; nil when the line has none.
    public var option: String?
    /// What is wrong with it.
    public var kind: Kind

    /// A problem of an option at a line.
    public init(line: Int?, option: String?, kind: Kind) {
        self.line = line
        self.option = option
        self.kind = kind
    }

    /// What can be wrong.
    public enum Kind: Error, Sendable, Equatable {
        /// The bytes are no UTF-8 (RFC 3629).
        case notUTF8
        /// The line is neither an assignment nor a comment nor empty.
        case malformed(Malformation)
        /// There is no such option; the nearest name that there is, if one is near.
        case unknown(nearest: String?)
        /// The option is set a second time; the line of the first.
        case setTwice(firstLine: Int?)
        /// The option has to be set and is not.
        case missing
        /// The option has to be set because another one has this value.
        case missingFor(option: String, value: String)
        /// The option has to be set because another one is.
        case missingBeside(option: String)
        /// The value needs one of these options.
        case needsOneOf([String])
        /// The option cannot be set together with another one.
        case excludedBy(option: String)
        /// The value holds a control character (its Unicode scalar value).
        case controlCharacter(UInt32)
        /// Not a host name.
        case notADomain(DomainProblem)
        /// Not an e-mail address.
        case notAnEmail(EmailProblem)
        /// Not a number.
        case notANumber(String)
        /// A number, but not within the bounds (both included), which are written as people write them.
        case outOfRange(String, lowest: String, highest: String)
        /// Not one of the values that there are.
        case notOneOf(String, [String])
        /// Not a web address; nil instead of one that may hold a secret.
        case notAURI(String?, schemes: [String], URIProblem)
        /// Not an absolute path.
        case notAPath(String)
        /// Not an IP address.
        case notAnAddress(String)
        /// An address that the internet may reach.
        case notPrivate(String)
        /// Not two different hours of the day.
        case notHours(String)
        /// Not a recipient of age.
        case notARecipient(String)
        /// This option and another one together switch off everything.
        case leavesNothing(beside: String)
        /// Another option uses the same port.
        case portUsedTwice(port: Int, by: String)
        /// The lowest port of a range is above its highest.
        case rangeReversed(lowest: Int, highest: Int)
        /// The port of another option lies within the range of relay ports.
        case rangeHoldsPort(port: Int, of: String)
    }

    /// Why a line cannot be read.
    public enum Malformation: Sendable, Equatable {
        /// There is no `=`.
        case noEqualsSign
        /// What stands before the `=` is no name of an option.
        case badName(String)
        /// The quote that begins the value does not end on the same line.
        case unclosedQuote(Character)
        /// Something stands behind the closing quote.
        case textBehindQuote(String)
    }

    /// Why something is not a host name (RFC 1035 §2.3.1, RFC 1123 §2.1, RFC 5891).
    public enum DomainProblem: Error, Sendable, Equatable {
        /// There is a space in it.
        case space
        /// It is a web address.
        case isURL
        /// It is an e-mail or chat address.
        case isAddress
        /// There is a port number behind it.
        case hasPort
        /// It is an IP address, not a name.
        case isIPAddress
        /// It has no dot, and is not `localhost`.
        case singleLabel
        /// Two dots in a row, or one at the beginning or end.
        case emptyLabel
        /// A part between two dots is longer than 63 characters.
        case labelTooLong(String)
        /// The whole is longer than it may be.
        case tooLong(length: Int, highest: Int)
        /// A part begins or ends with a hyphen.
        case hyphenAtEdge(String)
        /// A character that no host name has.
        case badCharacter(Character)
        /// The last part has to have a letter (RFC 3696 §2).
        case numericTopLevel(String)
        /// It cannot be written in ASCII; the name of libidn2's error.
        case notConvertible(String)
    }

    /// Why something is not an e-mail address (RFC 5321 §4.1.2; quoted local parts are refused).
    public enum EmailProblem: Error, Sendable, Equatable {
        /// There is no `@`.
        case noAt
        /// There is more than one `@`.
        case twoAts
        /// Nothing stands before the `@`.
        case emptyLocalPart
        /// What stands before the `@` is longer than 64 characters.
        case localPartTooLong(length: Int)
        /// A dot where none may be: first, last, or two in a row before the `@`.
        case misplacedDot
        /// A character that may not stand before the `@`.
        case badCharacter(Character)
        /// What stands behind the `@` is not a host name.
        case domain(DomainProblem)
    }

    /// Why something is not a URI (RFC 3986).
    public enum URIProblem: Error, Sendable, Equatable {
        /// It has none of the schemes that are possible here.
        case scheme
        /// No host stands behind the `//`, or no address behind `mailto:`.
        case noHost
        /// A character that has to be percent-encoded.
        case badCharacter(Character)
        /// `{token}` is missing, or braces stand around something else.
        case noToken
    }
}
