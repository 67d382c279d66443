internal import COpenSSL
internal import Glibc

/// The messages of an allocation (RFC 8656 §7) with long-term credentials (RFC 8489 §9.2), as far as a look at a TURN server needs them.
enum TURNMessage {
    static let allocate: UInt16 = 0x003
    static let refresh: UInt16 = 0x004

    private enum Attribute {
        static let username: UInt16 = 0x0006
        static let messageIntegrity: UInt16 = 0x0008
        static let errorCode: UInt16 = 0x0009
        static let lifetime: UInt16 = 0x000d
        static let realm: UInt16 = 0x0014
        static let nonce: UInt16 = 0x0015
        static let xorRelayedAddress: UInt16 = 0x0016
        static let requestedTransport: UInt16 = 0x0019
    }

    private static let cookie: [UInt8] = [0x21, 0x12, 0xa4, 0x42]
    /// Its length says how long everything is.
    static let headerLength = 20

    /// Who asks, and the key that signs it.
    struct Credentials {
        var username: String
        var realm: [UInt8]
        var nonce: [UInt8]
        var key: [UInt8]

        /// What a server that shares `secret` (draft-uberti-behave-turn-rest-00 §2.2) lets in until `end`, in seconds since 1970.
        init(secret: String, end: Int, answering challenge: Challenge) throws(OpenSSLError) {
            username = "\(end):probe"
            realm = challenge.realm
            nonce = challenge.nonce
            let password = base64(try authenticationCode(of: Array(username.utf8), key: Array(secret.utf8)))
            key = try digest(Array(username.utf8) + [0x3a] + realm + [0x3a] + Array(password.utf8))
        }
    }

    /// What a server wants to be answered before it does anything.
    struct Challenge {
        var realm: [UInt8]
        var nonce: [UInt8]
    }

    /// What an answer says.
    enum Answer {
        /// `relay`: whether there is a relay address in it.
        case success(relay: Bool)
        case error(code: Int, Challenge?)
    }

    /// A request for a relay address over UDP.
    static func allocation(_ transaction: [UInt8], _ credentials: Credentials?) throws(OpenSSLError) -> [UInt8] {
        let udp: UInt8 = 17
        return try request(allocate, transaction, attribute(Attribute.requestedTransport, [udp, 0, 0, 0]), credentials)
    }

    /// A request that gives the relay address back.
    static func release(_ transaction: [UInt8], _ credentials: Credentials) throws(OpenSSLError) -> [UInt8] {
        try request(refresh, transaction, attribute(Attribute.lifetime, [0, 0, 0, 0]), credentials)
    }

    private static func request(
        _ method: UInt16, _ transaction: [UInt8], _ content: [UInt8], _ credentials: Credentials?
    ) throws(OpenSSLError) -> [UInt8] {
        guard let credentials else { return header(method, content.count, transaction) + content }
        let content =
            content + attribute(Attribute.username, Array(credentials.username.utf8)) + attribute(Attribute.realm, credentials.realm)
            + attribute(Attribute.nonce, credentials.nonce)
        // The length in the header counts the integrity that is still to come (RFC 8489 §14.5).
        let signed = header(method, content.count + 24, transaction) + content
        return signed + attribute(Attribute.messageIntegrity, try authenticationCode(of: signed, key: credentials.key))
    }

    /// What a message means; nil when it is no answer to this request.
    static func answer(_ message: [UInt8], to transaction: [UInt8], _ method: UInt16) -> Answer? {
        guard message.count >= headerLength, Array(message[4..<headerLength]) == cookie + transaction else { return nil }
        let attributes = attributes(of: message)
        switch number(message[0...]) {
        // Success and error response (RFC 8489 §5).
        case method | 0x100: return .success(relay: attributes[Attribute.xorRelayedAddress] != nil)
        case method | 0x110:
            guard let code = attributes[Attribute.errorCode], code.count >= 4 else { return nil }
            var challenge: Challenge?
            if let realm = attributes[Attribute.realm], let nonce = attributes[Attribute.nonce] {
                challenge = Challenge(realm: realm, nonce: nonce)
            }
            return .error(code: Int(code[2] & 7) * 100 + Int(code[3]), challenge)
        default: return nil
        }
    }

    /// How long the message is that begins like this; nil while that cannot be told.
    static func length(of begin: [UInt8]) -> Int? {
        begin.count >= headerLength ? headerLength + Int(number(begin[2...])) : nil
    }

    private static func header(_ method: UInt16, _ length: Int, _ transaction: [UInt8]) -> [UInt8] {
        bytes(method) + bytes(UInt16(truncatingIfNeeded: length)) + cookie + transaction
    }

    private static func attribute(_ type: UInt16, _ value: [UInt8]) -> [UInt8] {
        bytes(type) + bytes(UInt16(truncatingIfNeeded: value.count)) + value + [UInt8](repeating: 0, count: -value.count & 3)
    }

    private static func attributes(of message: [UInt8]) -> [UInt16: [UInt8]] {
        var found: [UInt16: [UInt8]] = [:]
        var rest = message.dropFirst(headerLength)
        while rest.count >= 4 {
            let (type, length) = (number(rest), Int(number(rest.dropFirst(2))))
            let value = rest.dropFirst(4).prefix(length)
            // The first of a kind counts (RFC 8489 §14).
            if found[type] == nil { found[type] = Array(value) }
            rest = rest.dropFirst(4 + (length + 3) / 4 * 4)
        }
        return found
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt16 {
        bytes.count < 2 ? 0 : UInt16(bytes[bytes.startIndex]) << 8 | UInt16(bytes[bytes.startIndex + 1])
    }

    private static func bytes(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 0xff)] }
}

/// HMAC-SHA1 (RFC 2104).
private func authenticationCode(of message: [UInt8], key: [UInt8]) throws(OpenSSLError) -> [UInt8] {
    var code = [UInt8](repeating: 0, count: 20)
    var count: UInt32 = 0
    guard HMAC(EVP_sha1(), key, Int32(key.count), message, message.count, &code, &count) != nil, count == 20 else {
        throw OpenSSLError("HMAC")
    }
    return code
}

/// MD5 (RFC 1321), which the long-term key is made with.
private func digest(_ message: [UInt8]) throws(OpenSSLError) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 16)
    var count: UInt32 = 0
    try succeed(EVP_Digest(message, message.count, &digest, &count, EVP_md5(), nil), "EVP_Digest")
    return digest
}

/// RFC 4648 §4.
private func base64(_ bytes: [UInt8]) -> String {
    var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
    let count = EVP_EncodeBlock(&text, bytes, Int32(bytes.count))
    return String(decoding: text.prefix(Int(count)), as: UTF8.self)
}
