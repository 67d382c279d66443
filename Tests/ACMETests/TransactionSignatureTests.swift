import DNS
import OpenSSL
import Testing

@testable import ACME

/// RFC 8945 prints no example. These messages were made by dnspython 2.9.2, an implementation that is not ours, with a fixed time; that BIND takes
/// what we send is tested in DynamicUpdateTests.
@Suite("Transaction signatures (RFC 8945), byte for byte")
struct TransactionSignatureTests {
    /// `acme-key`, hmac-sha256, of RFC 4635 §2's algorithms the one that RFC 8945 §6 requires.
    private static func key() throws -> TransactionKey {
        let secret = MACKey(try #require(bytes(base64url: "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ=")))
        return TransactionKey(name: "acme-key") { message throws(SigningError) in try secret.signature(of: message) }
    }

    private static func decoded(_ hexadecimal: String) throws -> [UInt8] {
        let digits = try hexadecimal.map { try #require(UInt8(String($0), radix: 16)) }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    /// An update that adds `_acme-challenge.example.org. 30 IN TXT "LPsI..."` to example.org, ID 0x1234.
    private static let update =
        "123428000001000000010000076578616d706c65036f726700000600010f5f61636d652d6368616c6c656e6765076578616d706c65036f726700001000010000001e002c2b4c5073"
        + "4977546f376f38426f47302d766a437947514742575356495078492d695f5833333665554f515a6f"
    private static let mac = "dcc783ed5fc0a9d27b446353b79048712db067cd67bff6b045a8616077c28b96"
    /// The TSIG record of 2023-11-14T22:13:20Z, fudge 300 (RFC 8945 §4.2).
    private static let record = "0861636d652d6b65790000fa00ff00000000003d0b686d61632d7368613235360000006553f100012c0020\(mac)123400000000"
    /// The answer to it, a second later, NOERROR.
    private static let answer =
        "1234a8000001000000000001076578616d706c65036f726700000600010861636d652d6b65790000fa00ff00000000003d0b686d61632d7368613235360000006553f101012c0020"
        + "5220b53656d61981760fdbac9694ab0b6ff292d282a5ee8444910fbbe7a2d853123400000000"

    @Test("§4.2 and §4.3.3: the signed update is the expected one, one additional record more")
    func request() throws {
        let signed = try Self.key().signed(try Self.decoded(Self.update), now: 1_700_000_000)
        var expected = try Self.decoded(Self.update + Self.record)
        expected[11] = 1
        #expect(signed.bytes == expected)
        #expect(signed.mac == (try Self.decoded(Self.mac)))
    }

    @Test("§5.3: the signed answer is taken; with any byte changed, another key, another request or at another time it is not")
    func response() throws {
        let answer = try Self.decoded(Self.answer)
        let mac = try Self.decoded(Self.mac)
        func isAccepted(_ message: [UInt8], to request: [UInt8], now: Int = 1_700_000_001, by key: TransactionKey? = nil) throws -> Bool {
            guard let (_, records) = try? DNSReader.message(message, id: 0x1234), let last = records.last else { return false }
            return try (key ?? Self.key()).accepts(message, to: request, record: last, now: now)
        }
        #expect(try isAccepted(answer, to: mac))
        #expect(try isAccepted(answer, to: mac, now: 1_700_000_301))
        #expect(try isAccepted(answer, to: mac, now: 1_700_000_302) == false)
        #expect(try isAccepted(answer, to: Array(mac.reversed())) == false)
        let other = MACKey(Array("another secret".utf8))
        let stranger = TransactionKey(name: "acme-key") { message throws(SigningError) in try other.signature(of: message) }
        #expect(try isAccepted(answer, to: mac, by: stranger) == false)
        for index in answer.indices {
            var changed = answer
            // Not bit 5: a name means the same in capitals (RFC 8945 §4.3.3 signs it in lower case).
            changed[index] ^= 1
            // The class and TTL of the record itself are fixed, and signed as such.
            if (41..<47).contains(index) { continue }
            #expect(try isAccepted(changed, to: mac) == false, "byte \(index)")
        }
    }
}
