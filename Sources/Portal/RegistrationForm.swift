import ChatServer

/// What a person sent from the registration page (application/x-www-form-urlencoded).
struct RegistrationForm: Sendable {
    /// Ties the form to the cookie of the same browser.
    var formToken = ""
    /// As typed, blanks at both ends and our own `@domain` cut off.
    var username = ""
    var password = ""
    var confirmation = ""

    /// The most bytes that the whole form may have.
    static let limit = 16_384

    /// An empty form.
    init(formToken: String) { self.formToken = formToken }

    /// Reads a form. Unknown fields are ignored, missing ones are empty.
    ///
    /// - Returns: nil when it is not UTF-8 in percent encoding.
    init?(body: some Sequence<UInt8>, domain: String) {
        for pair in Array(body).split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decode(parts[0]), let value = Self.decode(parts.count > 1 ? parts[1] : []) else { return nil }
            switch name {
            case "form": formToken = value
            case "username": username = value
            case "password": password = value
            case "confirmation": confirmation = value
            default: break
            }
        }
        username = String(username.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        // Some people type the whole address.
        if username.lowercased().hasSuffix("@" + domain) { username.removeLast(domain.count + 1) }
    }

    /// What is wrong as far as this page can tell; the chat server has the last word.
    var problems: RegistrationProblems {
        var problems = RegistrationProblems()
        if username.isEmpty {
            problems.username = .usernameMissing
        } else if username.utf8.count > 255 {
            problems.username = .usernameLong
        } else if username.contains(where: { " @/\\\"&':<>".contains($0) }) {
            problems.username = .usernameInvalid
        }
        if password.unicodeScalars.count < 10 {
            problems.password = .passwordShort
        } else if password.utf8.count > 1024 {
            problems.password = .passwordLong
        } else if password != confirmation {
            problems.confirmation = .passwordsDiffer
        }
        return problems
    }

    private static func decode(_ bytes: ArraySlice<UInt8>) -> String? {
        var result: [UInt8] = []
        var rest = bytes
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): result.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(hexDigit), let low = rest.popFirst().flatMap(hexDigit) else { return nil }
                result.append(high << 4 | low)
            default: result.append(byte)
            }
        }
        return String(validating: result, as: UTF8.self)
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// What was wrong with a form, next to the field it is about.
struct RegistrationProblems: Sendable, Equatable {
    var form: Texts.Key?
    var username: Texts.Key?
    var password: Texts.Key?
    var confirmation: Texts.Key?

    enum Field { case username, password, confirmation }

    var isEmpty: Bool { form == nil && firstField == nil }

    /// The field to look at first.
    var firstField: Field? {
        username != nil ? .username : password != nil ? .password : confirmation != nil ? .confirmation : nil
    }

    /// What is said at the top.
    var alert: Texts.Key? { form ?? (firstField == nil ? nil : .registerErrors) }
}

extension RegistrationProblems {
    /// What the chat server did not accept; nil when the refusal is about something else.
    init?(_ error: ChatServerError) {
        self.init()
        switch error {
        case .usernameTaken: username = .usernameTaken
        case .invalid(field: "username", _): username = .usernameInvalid
        case .invalid(field: "password", rule: "too-short"): password = .passwordShort
        case .invalid(field: "password", rule: "too-long"): password = .passwordLong
        case .invalid(field: "password", _): password = .passwordInvalid
        default: return nil
        }
    }
}
