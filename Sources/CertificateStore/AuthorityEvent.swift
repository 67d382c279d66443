internal import FoundationEssentials

/// What `snikket-certs` prints when it has asked a certificate authority about something that exists already: one JSON object a line.
public enum AuthorityEvent: Sendable, Equatable {
    /// When a certificate should be renewed.
    case renewal(RenewalWindow)
    /// The account as the CA knows it now.
    case account(url: String, contacts: [String])
    /// The account has ended for good.
    case deactivated(url: String)
    /// A certificate is revoked; its serial, lower-case hexadecimal.
    case revoked(serial: String)
    /// A mail server has taken a message.
    case mailed(to: String)
}

/// When a CA wants a certificate to be renewed (RFC 9773 §4.2).
public struct RenewalWindow: Sendable, Equatable, Codable {
    /// Seconds since 1970.
    public var start: Int
    /// Seconds since 1970.
    public var end: Int
    /// A page for people that says why.
    public var explanation: String?
    /// Seconds after which to ask the CA again.
    public var retryAfter: Int?

    public init(start: Int, end: Int, explanation: String? = nil, retryAfter: Int? = nil) {
        self.start = start
        self.end = end
        self.explanation = explanation
        self.retryAfter = retryAfter
    }

    /// A moment in the window, in seconds since 1970; one that has passed means now.
    ///
    /// - Parameter spread: 0 for its begin, 1 for its end; to be chosen at random, and kept (RFC 9773 §4.2).
    public func time(spread: Double) -> Int { start + Int(Double(end - start) * min(max(spread, 0), 1)) }

    /// When to ask again: after what the CA said, but at least a minute and at most a day from now (RFC 9773 §4.3); six hours when it said nothing.
    public func nextLook(now: Int) -> Int { now + min(max(retryAfter ?? 21600, 60), 86400) }
}

extension RenewalWindow {
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        start = try values.decodeDate(.start)
        end = try values.decodeDate(.end)
        explanation = try values.decodeIfPresent(String.self, forKey: .explanation)
        retryAfter = try values.decodeIfPresent(Int.self, forKey: .retryAfter)
    }
}

extension AuthorityEvent {
    /// The event of a line; nil when it is none, which a reader passes over.
    public init?(line: some StringProtocol) {
        guard let event = try? JSONDecoder().decode(Self.self, from: Data(line.utf8)) else { return nil }
        self = event
    }

    /// The event as one line, without its end.
    public var line: String {
        guard let bytes = try? encoded(self) else { return "{}" }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension AuthorityEvent: Codable {
    private enum Key: String, CodingKey { case event, url, contacts, serial, to }
    private enum Kind: String, Codable { case renewal, account, deactivated, revoked, mailed }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        switch try values.decode(Kind.self, forKey: .event) {
        case .renewal: self = .renewal(try RenewalWindow(from: decoder))
        case .account:
            self = .account(url: try values.decode(String.self, forKey: .url), contacts: try values.decode([String].self, forKey: .contacts))
        case .deactivated: self = .deactivated(url: try values.decode(String.self, forKey: .url))
        case .mailed: self = .mailed(to: try values.decode(String.self, forKey: .to))
        case .revoked: self = .revoked(serial: try values.decode(String.self, forKey: .serial))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        switch self {
        case .renewal(let window):
            try values.encode(Kind.renewal, forKey: .event)
            try window.encode(to: encoder)
        case .account(let url, let contacts):
            try values.encode(Kind.account, forKey: .event)
            try values.encode(url, forKey: .url)
            try values.encode(contacts, forKey: .contacts)
        case .deactivated(let url):
            try values.encode(Kind.deactivated, forKey: .event)
            try values.encode(url, forKey: .url)
        case .mailed(let address):
            try values.encode(Kind.mailed, forKey: .event)
            try values.encode(address, forKey: .to)
        case .revoked(let serial):
            try values.encode(Kind.revoked, forKey: .event)
            try values.encode(serial, forKey: .serial)
        }
    }
}
