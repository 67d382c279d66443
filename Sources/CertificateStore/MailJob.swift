/// What `snikket-certs mail` reads on standard input, as JSON: it holds a password, so it stands on no command line.
public struct MailJob: Sendable, Codable, Equatable {
    /// `smtp://host:port` or `smtps://host:port`.
    public var server: String
    public var user: String?
    public var password: String?
    /// Whether a connection without TLS is refused.
    public var requiresTLS: Bool
    /// Whether the server's certificate has to be good.
    public var verifies: Bool
    /// An e-mail address.
    public var from: String
    /// An e-mail address.
    public var to: String
    /// One line.
    public var subject: String
    /// Plain text.
    public var text: String

    public init(
        server: String, user: String?, password: String?, requiresTLS: Bool, verifies: Bool, from: String, to: String, subject: String, text: String
    ) {
        self.server = server
        self.user = user
        self.password = password
        self.requiresTLS = requiresTLS
        self.verifies = verifies
        self.from = from
        self.to = to
        self.subject = subject
        self.text = text
    }
}
