/// Puts the answer to a challenge where the CA looks for it.
public protocol ChallengeSolver: Sendable {
    /// The challenge type (RFC 8555 §9.7.8), such as `http-01`.
    var type: String { get }
    /// Puts the answer in place; when this returns, the CA may look.
    func present(_ answer: ChallengeAnswer) async throws(ChallengeError)
    /// Takes it away again; whether it is gone.
    @discardableResult
    func remove(_ answer: ChallengeAnswer) async -> Bool
}

/// The answer to one challenge.
public struct ChallengeAnswer: Sendable, Equatable {
    /// The name that is to be validated.
    public var name: String
    /// base64url, so it is safe in paths (RFC 8555 §8.3).
    public var token: String
    public var keyAuthorization: String
    /// SHA-256 of the key authorization, 32 bytes: what dns-01 and tls-alpn-01 show.
    public var digest: [UInt8]
    public init(name: String, token: String, keyAuthorization: String, digest: [UInt8]) {
        self.digest = digest
        self.name = name
        self.token = token
        self.keyAuthorization = keyAuthorization
    }
}

/// Why an answer could not be put in place.
public enum ChallengeError: Error, Sendable, Equatable {
    /// A file or folder of the web root could not be written.
    case webroot(path: String, errno: Int32)
    /// The address to listen on could not be used.
    case listen(address: String, errno: Int32)
    /// `ADDR:PORT` is none.
    case badAddress(String)
    /// The hook program did not do its work.
    case hook(program: String, HookResult)
    /// The DNS server did not change the zone.
    case update(server: String, DNSUpdateError)
    /// The certificate that would hold the answer could not be made.
    case certificate(reason: String)
    /// The CA's token is not what RFC 8555 §8.1 permits.
    case badToken
}
