/// A mail server to send by (RFC 6409), as `smtp://user:password@host:port/;flag` or `smtps://...`.
///
/// `smtp` begins in plain text and has to go over to TLS (STARTTLS, RFC 3207), `smtps` speaks TLS from the first byte (RFC 8314).
/// `;no-tls` sends without TLS, for a server on this machine; `;insecure` takes any certificate.
public struct MailServer: Sendable, Equatable {
    /// As it was set.
    let text: String
    /// `smtp://host:port` or `smtps://host:port`: nothing secret in it.
    public var address: String
    /// Percent-decoded; nil when the server asks for no name.
    public var user: String?
    /// Percent-decoded.
    public var password: String?
    /// Whether a connection without TLS is refused.
    public var requiresTLS = true
    /// Whether the server's certificate has to be good.
    public var verifies = true

    init(parsing text: String) throws(Problem.URIProblem) {
        self.text = text
        let parts = text.split(separator: ";", omittingEmptySubsequences: false)
        let url = try WebAddress.checked(String(parts[0]), schemes: ["smtps", "smtp"])
        for flag in parts.dropFirst() {
            switch flag {
            case "no-tls": requiresTLS = false
            case "insecure": verifies = false
            default: throw .badCharacter(";")
            }
        }
        let scheme = url.lowercased().hasPrefix("smtps") ? "smtps" : "smtp"
        let authority = url.dropFirst(scheme.count + 3).prefix { !"/?#".contains($0) }
        guard let at = authority.lastIndex(of: "@") else {
            address = "\(scheme)://\(authority)"
            return
        }
        address = "\(scheme)://\(authority[authority.index(after: at)...])"
        let login = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let user = Self.decoded(login[0]), let password = Self.decoded(login.count > 1 ? login[1] : "") else { throw .badCharacter("%") }
        (self.user, self.password) = (user, password)
    }

    /// Percent-decoded (RFC 3986 §2.1); nil when it is not well-formed, or is not UTF-8, or holds a control character.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self), !decoded.unicodeScalars.contains(where: \.isControl) else { return nil }
        return decoded
    }
}

extension MailServer: OptionValue {
    var plain: String { text }
}

extension ValueKind where Value == MailServer {
    /// A mail server.
    static var mailServer: Self {
        Self(name: "mail server", bounds: "smtp://host:port or smtps://host:port, with user:password@ where needed; then /;no-tls or /;insecure") {
            text throws(Problem.Kind) in
            do throws(Problem.URIProblem) {
                return try MailServer(parsing: text)
            } catch {
                // What was set may hold a password: it is not repeated.
                throw .notAURI(nil, schemes: ["smtp", "smtps"], error)
            }
        }
    }
}
