import DurableFiles
import FoundationEssentials

/// The texts of the pages in one language: templates/portal/languages/LANGUAGE.json. Pages have no words of their own.
struct Texts: Sendable {
    /// The language tag (RFC 5646).
    let language: String
    private let texts: [String: String]
    private let known: [String: String]

    /// - Parameters:
    ///   - path: the catalogue.
    ///   - known: what `{site}` and the like stand for in every text.
    init(path: String, known: [String: String]) throws(PortalError) {
        guard let bytes = try? File.read(path) else { throw .unreadable(path: path) }
        guard let texts = try? JSONDecoder().decode([String: String].self, from: Data(bytes)), let language = texts["language"] else {
            throw .malformedTexts(path: path)
        }
        self.language = language
        self.texts = texts
        self.known = known
    }

    /// A text by its key, with more places filled in.
    func callAsFunction(_ key: Key, _ values: [String: String] = [:]) -> String {
        Self.fill(texts[key.rawValue] ?? "", known.merging(values) { _, value in value })
    }

    /// A text by the name that a template uses.
    func named(_ name: String) throws(PortalError) -> String {
        guard let text = texts[name] else { throw .missingText(key: name) }
        return Self.fill(text, known)
    }

    /// Checks that every text the code uses is there.
    func check() throws(PortalError) {
        for key in Key.allCases { _ = try named(key.rawValue) }
    }

    /// The texts that are chosen by code; all others are named in templates as `t_KEY`.
    enum Key: String, CaseIterable {
        case inviteTitle = "invite_title"
        case inviteLeadService = "invite_lead_service"
        case inviteLeadPerson = "invite_lead_person"
        case inviteExpiresDays = "invite_expires_days"
        case inviteExpiresDay = "invite_expires_day"
        case inviteExpiresHours = "invite_expires_hours"
        case inviteExpiresSoon = "invite_expires_soon"
        case registerTitle = "register_title"
        case registerErrors = "register_errors"
        case registerErrorForm = "register_error_form"
        case usernameMissing = "register_error_username_missing"
        case usernameInvalid = "register_error_username"
        case usernameLong = "register_error_username_long"
        case usernameTaken = "register_error_username_taken"
        case passwordShort = "register_error_password_short"
        case passwordLong = "register_error_password_long"
        case passwordInvalid = "register_error_password"
        case passwordsDiffer = "register_error_confirmation"
        case welcomeTitle = "welcome_title"
        case homeTitle = "home_title"
        case goneTitle = "gone_title"
        case goneLead = "gone_lead"
        case goneHelp = "gone_help"
        case missingTitle = "missing_title"
        case missingLead = "missing_lead"
        case startingTitle = "starting_title"
        case startingLead = "starting_lead"
        case failedTitle = "failed_title"
        case failedLead = "failed_lead"
        case limitedTitle = "limited_title"
        case limitedLead = "limited_lead"
        case refusedTitle = "refused_title"
        case refusedLead = "refused_lead"
    }

    /// Replaces `{name}`; what is put in is not looked at again.
    private static func fill(_ text: String, _ values: [String: String]) -> String {
        guard text.contains("{") else { return text }
        var result = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            result += rest[..<open]
            result += values[String(rest[rest.index(after: open)..<close])] ?? String(rest[open...close])
            rest = rest[rest.index(after: close)...]
        }
        return result + rest
    }
}
