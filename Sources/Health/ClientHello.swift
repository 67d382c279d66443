/// The first message of a TLS handshake (RFC 8446 §4.1.2), good for TLS 1.2 and 1.3.
///
/// Its key share is random bytes: every 32 bytes are an X25519 public key (RFC 7748 §5), and the handshake is never finished.
struct ClientHello {
    var name: String
    var protocols: [String]

    /// The message in its record.
    var record: [UInt8] {
        var body: [UInt8] = [3, 3] + Self.random(32)
        body += Self.short(Self.random(32))
        // TLS 1.3's three; ECDHE with AES-GCM or ChaCha20 for ECDSA and RSA (RFC 5289, RFC 7905).
        body += Self.long(Self.numbers([0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8]))
        body += Self.short([0])
        body += Self.long(extensions)
        let message = [1, 0] + Self.long(body)
        return [22, 3, 1] + Self.long(message)
    }

    private var extensions: [UInt8] {
        let list = protocols.flatMap { Self.short(Array($0.utf8)) }
        return Self.extend(0, Self.long([0] + Self.long(Array(name.utf8))))
            // supported_groups: X25519, P-256, P-384
            + Self.extend(10, Self.long(Self.numbers([0x001d, 0x0017, 0x0018])))
            // ec_point_formats: uncompressed
            + Self.extend(11, Self.short([0]))
            // signature_algorithms: ECDSA, RSA-PSS, Ed25519, RSA
            + Self.extend(13, Self.long(Self.numbers([0x0403, 0x0503, 0x0804, 0x0805, 0x0806, 0x0807, 0x0401, 0x0501])))
            + (list.isEmpty ? [] : Self.extend(16, Self.long(list)))
            // psk_key_exchange_modes: with (EC)DHE
            + Self.extend(45, Self.short([1]))
            // supported_versions: 1.3, 1.2
            + Self.extend(43, Self.short(Self.numbers([0x0304, 0x0303])))
            + Self.extend(51, Self.long(Self.numbers([0x001d]) + Self.long(Self.random(32))))
    }

    private static func extend(_ type: UInt16, _ content: [UInt8]) -> [UInt8] { numbers([type]) + long(content) }
    private static func numbers(_ numbers: [UInt16]) -> [UInt8] { numbers.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] } }
    /// With its length in one byte before it.
    private static func short(_ content: [UInt8]) -> [UInt8] { [UInt8(truncatingIfNeeded: content.count)] + content }
    /// With its length in two bytes before it.
    private static func long(_ content: [UInt8]) -> [UInt8] { numbers([UInt16(truncatingIfNeeded: content.count)]) + content }
    private static func random(_ count: Int) -> [UInt8] { (0..<count).map { _ in .random(in: 0...255) } }
}
