internal import COpenSSL
internal import FoundationEssentials

/// Logs in by SCRAM-SHA-256 (RFC 5802, RFC 7677) in an XMPP stream inside TLS (RFC 6120 §6), and does nothing more.
struct Login {
    let username: String
    let password: String

    private static let mechanism = "SCRAM-SHA-256"
    private static let namespace = "urn:ietf:params:xml:ns:xmpp-sasl"

    /// - Parameter features: what the stream offers.
    func fault(over connection: borrowing some ByteStream & ~Copyable, offered features: String) throws(ProbeError) -> Sight.Fault? {
        let mechanisms = XMPPStream.mechanisms(in: features)
        guard mechanisms.contains(Self.mechanism) else { return .noSCRAM(offered: mechanisms) }
        let ownNonce = Data((0..<18).map { _ in UInt8.random(in: 0...255) }).base64EncodedString()
        // The name is ours: nothing in it has to be escaped.
        let first = "n=\(username),r=\(ownNonce)"
        let opening = "<auth xmlns='\(Self.namespace)' mechanism='\(Self.mechanism)'>\(Self.base64("n,," + first))</auth>"
        let challenge = try answer(to: opening, over: connection)
        guard let challenge = Self.content(of: challenge, in: "challenge") else { return .loginRefused(Self.condition(in: challenge)) }
        let fields = Self.fields(challenge)
        guard let nonce = fields["r"], nonce.hasPrefix(ownNonce), nonce != ownNonce, let salt = fields["s"].flatMap({ Data(base64Encoded: $0) }),
            let rounds = fields["i"].flatMap({ Int32($0) }), (1...1_000_000).contains(rounds)
        else { throw .nonsense }
        // `biws` is `n,,`: no channel binding.
        let last = "c=biws,r=\(nonce)"
        let keys = try ours { () throws(OpenSSLError) in
            try Keys(password: password, salt: Array(salt), rounds: rounds, message: "\(first),\(challenge),\(last)")
        }
        let response = "<response xmlns='\(Self.namespace)'>\(Self.base64("\(last),p=\(Data(keys.proof).base64EncodedString())"))</response>"
        let end = try answer(to: response, over: connection)
        guard let success = Self.content(of: end, in: "success") else { return .loginRefused(Self.condition(in: end)) }
        // Whoever does not know the password cannot sign.
        return Self.fields(success)["v"] == Data(keys.serverSignature).base64EncodedString() ? nil : .loginRefused("another server's signature")
    }

    private func answer(to text: String, over connection: borrowing some ByteStream & ~Copyable) throws(ProbeError) -> String {
        try connection.write(Array(text.utf8))
        return try XMPPStream.received(on: connection) { heard in
            ["</challenge>", "</success>", "<success ", "</failure>", "</stream:stream>"].contains { heard.contains($0) } && heard.hasSuffix(">")
        }
    }

    /// What is in an element, which is base64; nil when there is no such element.
    private static func content(of answer: String, in element: String) -> String? {
        guard let start = answer.firstRange(of: "<\(element)"), let open = answer[start.upperBound...].firstIndex(of: ">") else { return nil }
        let text = answer[answer.index(after: open)...].prefix { $0 != "<" }
        return Data(base64Encoded: String(text)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The condition of a failure (RFC 6120 §6.5).
    private static func condition(in answer: String) -> String {
        guard let failure = answer.firstRange(of: "<failure"), let open = answer[failure.upperBound...].firstIndex(of: ">") else {
            return "no answer"
        }
        return String(answer[open...].dropFirst().drop { $0 == "<" }.prefix { $0.isLetter || $0 == "-" }.prefix(64))
    }

    private static func fields(_ message: String) -> [Substring: String] {
        var fields: [Substring: String] = [:]
        for part in message.split(separator: ",") where part.dropFirst().first == "=" { fields[part.prefix(1)] = String(part.dropFirst(2)) }
        return fields
    }

    private static func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
}

/// What follows from a password (RFC 5802 §3).
private struct Keys {
    var proof: [UInt8]
    var serverSignature: [UInt8]

    init(password: String, salt: [UInt8], rounds: Int32, message: String) throws(OpenSSLError) {
        var salted = [UInt8](repeating: 0, count: 32)
        let bytes = Array(password.utf8).map(CChar.init(bitPattern:))
        try succeed(
            PKCS5_PBKDF2_HMAC(bytes, Int32(bytes.count), salt, Int32(salt.count), rounds, EVP_sha256(), 32, &salted), "PKCS5_PBKDF2_HMAC")
        let client = try Self.hmac(salted, "Client Key")
        var stored = [UInt8](repeating: 0, count: 32)
        try succeed(EVP_Digest(client, client.count, &stored, nil, EVP_sha256(), nil), "EVP_Digest")
        let signature = try Self.hmac(stored, message)
        proof = zip(client, signature).map { $0 ^ $1 }
        serverSignature = try Self.hmac(try Self.hmac(salted, "Server Key"), message)
    }

    private static func hmac(_ key: [UInt8], _ message: String) throws(OpenSSLError) -> [UInt8] {
        let message = Array(message.utf8)
        var digest = [UInt8](repeating: 0, count: 32)
        guard HMAC(EVP_sha256(), key, Int32(key.count), message, message.count, &digest, nil) != nil else { throw OpenSSLError("HMAC") }
        return digest
    }
}
