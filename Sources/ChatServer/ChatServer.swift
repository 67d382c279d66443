/// The accounts and invitations of the running chat server. ``Prosody`` is its first implementation.
public protocol ChatServer: Sendable {
    /// Makes an invitation.
    func createInvitation(_ request: InvitationRequest) async throws(ChatServerError) -> Invitation
    /// Every invitation that can still be used.
    func invitations() async throws(ChatServerError) -> [Invitation]
    /// One invitation. `nil` when it never existed, has been used or has expired.
    func invitation(token: String) async throws(ChatServerError) -> Invitation?
    /// Makes an invitation unusable.
    func revokeInvitation(token: String) async throws(ChatServerError)
    /// Uses an invitation: makes the account it is for.
    /// - Returns: the new account's address, `user@domain`.
    func register(token: String, username: String, password: String) async throws(ChatServerError) -> String
    /// Every account.
    func users() async throws(ChatServerError) -> [User]
    /// Sends a message of the service itself to everybody who administers it.
    /// - Returns: how many that are.
    func tellAdministrators(_ text: String) async throws(ChatServerError) -> Int
    /// Makes an account for a trial of logging in. It goes with ``endTrial()``, and by itself after half a minute.
    func beginTrial() async throws(ChatServerError) -> TrialAccount
    /// Removes it.
    func endTrial() async throws(ChatServerError)
    /// Answers when the chat server answers.
    func ping() async throws(ChatServerError)
}

/// What kind of invitation to make.
public struct InvitationRequest: Sendable, Equatable {
    /// Whether the new account administers the service.
    public var isAdmin = false
    /// Whether more than one person can use it.
    public var isReusable = false
    /// How long it can be used, in seconds.
    public var lifetime = 7 * 86_400
    /// A note to tell invitations apart; people who are invited do not see it.
    public var comment: String?
    public init() {}
}

/// An invitation (XEP-0401, XEP-0445).
public struct Invitation: Sendable, Equatable {
    /// The secret part.
    public var token: String
    /// The web page that explains the next step.
    public var url: String
    /// The link that apps open: `xmpp:domain?register;preauth=token` (XEP-0401 §3.1).
    public var uri: String
    /// When it ends, in seconds since 1970.
    public var expires: Int
    public var isAdmin: Bool
    public var isReusable: Bool
    public var comment: String?
    /// Who invited, `user@domain`; nil when the service itself did.
    public var inviter: String?
    public init(
        token: String, url: String, uri: String, expires: Int, isAdmin: Bool, isReusable: Bool, comment: String?, inviter: String?
    ) {
        self.token = token
        self.url = url
        self.uri = uri
        self.expires = expires
        self.isAdmin = isAdmin
        self.isReusable = isReusable
        self.comment = comment
        self.inviter = inviter
    }
}

/// An account of the chat server.
public struct User: Sendable, Equatable {
    public var username: String
    public var displayName: String?
    /// `prosody:restricted`, `prosody:registered` or `prosody:admin`.
    public var role: String
    /// When it was last active, in seconds since 1970; nil when never.
    public var lastActive: Int?
    public init(username: String, displayName: String?, role: String, lastActive: Int?) {
        self.username = username
        self.displayName = displayName
        self.role = role
        self.lastActive = lastActive
    }
}

/// An account that is there for one trial of logging in.
public struct TrialAccount: Sendable, Equatable {
    public var username: String
    public var password: String
    public init(username: String, password: String) {
        self.username = username
        self.password = password
    }
}

/// Why the chat server did not do what was asked.
public enum ChatServerError: Error, Equatable {
    /// Nothing answered, or not in time. `detail` is for a person who reads logs.
    case unreachable(detail: String)
    /// The shared secret was refused.
    case unauthorized
    /// The invitation does not exist, has been used or has expired.
    case invitationNotFound
    /// Somebody has that name.
    case usernameTaken
    /// The name is not allowed in an address (RFC 7622), or a password rule is not kept.
    case invalid(field: String, rule: String)
    /// The server answered with something else.
    case unexpected(status: Int, detail: String)
}
