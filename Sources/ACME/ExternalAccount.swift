internal import FoundationEssentials

/// An account that was arranged with the CA beforehand, and that a new ACME account is bound to (RFC 8555 §7.3.4).
public struct ExternalAccount: Sendable {
    /// The key identifier that the CA gave.
    public var keyID: String
    /// HMAC-SHA256 with the MAC key that the CA gave (RFC 7518 §3.2), 32 bytes.
    let mac: @Sendable ([UInt8]) throws(SigningError) -> [UInt8]

    public init(keyID: String, mac: @escaping @Sendable ([UInt8]) throws(SigningError) -> [UInt8]) {
        self.keyID = keyID
        self.mac = mac
    }

    /// The binding: the account's public key, signed with the MAC key.
    func binding(of key: JSONWebKey, url: String) throws(SigningError) -> SignedMessage {
        struct Header: Encodable {
            let alg = "HS256"
            var kid: String
            var url: String
        }
        return try SignedMessage(header: Header(kid: keyID, url: url), payload: Array(key.canonical.utf8), signature: mac)
    }
}

/// The bytes of a base64url text without padding (RFC 4648 §5); nil when it is none. Padding and white space at the end are passed over.
public func bytes(base64url text: some StringProtocol) -> [UInt8]? {
    var bytes: [UInt8] = []
    var pending: UInt32 = 0
    var bits = 0
    var characters = Array(text.utf8)[...]
    while let last = characters.last, last == 0x3d || last == 0x20 || (0x09...0x0d).contains(last) { characters.removeLast() }
    for character in characters {
        let value: UInt8
        switch character {
        case 0x41...0x5a: value = character - 0x41
        case 0x61...0x7a: value = character - 0x61 + 26
        case 0x30...0x39: value = character - 0x30 + 52
        // Some CAs show their keys in the other alphabet.
        case 0x2d, 0x2b: value = 62
        case 0x5f, 0x2f: value = 63
        default: return nil
        }
        pending = pending << 6 | UInt32(value)
        bits += 6
        if bits >= 8 {
            bits -= 8
            bytes.append(UInt8(truncatingIfNeeded: pending >> UInt32(bits)))
            pending &= (1 << UInt32(bits)) - 1
        }
    }
    // A single character left over, or bits that should be zero, are no encoding of anything.
    return bits < 6 && pending == 0 ? bytes : nil
}
