public import ACME
internal import COpenSSL

/// A symmetric key for HMAC-SHA256 (RFC 2104): of an external account, or of DNS updates.
public struct MACKey: Sendable {
    private let bytes: [UInt8]

    /// Takes the key's bytes.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// HMAC-SHA256, 32 bytes.
    public func signature(of message: [UInt8]) throws(SigningError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        guard let length = Int32(exactly: bytes.count), HMAC(EVP_sha256(), bytes, length, message, message.count, &digest, &count) != nil, count == 32
        else {
            let error = OpenSSLError("HMAC")
            throw SigningError(reason: ([error.operation] + error.reasons).joined(separator: ": "))
        }
        return digest
    }
}
