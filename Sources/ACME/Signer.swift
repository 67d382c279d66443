/// Signs for an account with its key. Implemented by `OpenSSL`.
public protocol Signer: Sendable {
    /// The public half.
    var publicKey: JSONWebKey { get }
    /// An ES256 signature: r and s, 32 bytes each (RFC 7518 §3.4).
    func signature(of message: [UInt8]) throws(SigningError) -> [UInt8]
    /// SHA-256 (FIPS 180-4), 32 bytes.
    func sha256(_ message: [UInt8]) throws(SigningError) -> [UInt8]
}

/// Signing failed, or a signing request could not be made.
public struct SigningError: Error, Sendable, Equatable {
    /// The library's own words.
    public var reason: String
    public init(reason: String) { self.reason = reason }
}

/// A public key on P-256 (RFC 7517, RFC 7518 §6.2).
public struct JSONWebKey: Sendable, Equatable, Encodable {
    let crv = "P-256"
    let kty = "EC"
    /// The coordinate, base64url.
    public let x: String
    /// The coordinate, base64url.
    public let y: String

    /// From the coordinates, 32 bytes each.
    public init(x: [UInt8], y: [UInt8]) {
        self.x = base64url(x)
        self.y = base64url(y)
    }

    /// What the thumbprint is the hash of: the members in order, without white space (RFC 7638 §3).
    public var canonical: String { #"{"crv":"\#(crv)","kty":"\#(kty)","x":"\#(x)","y":"\#(y)"}"# }
}
