import FoundationEssentials
import OpenSSL
import PebbleFixture
import Subprocess
import SystemPackage
import Testing

@testable import ACME

/// What the RFCs print themselves: a key, what is signed with it, and what comes out.
@Suite("The RFCs' own examples")
struct VectorTests {
    /// The key of RFC 7515 appendix A.3.1.
    private static let x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
    private static let y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
    private static let d = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
    /// The payload of RFC 7515 appendices A.1.1 and A.3.1: lines end with CR and LF.
    private static let payload = Array("{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}".utf8)
    /// RFC 7515 appendix A.3.1.
    private static let signingInput =
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    private static let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"

    private static func decoded(_ text: String) throws -> [UInt8] { try #require(bytes(base64url: text)) }

    private static func pem(_ label: String, _ der: [UInt8]) -> [UInt8] {
        Array("-----BEGIN \(label)-----\n\(Data(der).base64EncodedString(options: .lineLength64Characters))\n-----END \(label)-----\n".utf8)
    }

    /// The key of RFC 7515 appendix A.3.1, as an account's: an ECPrivateKey (RFC 5915 §3) on P-256.
    private static func accountKey() throws -> AccountKey {
        let curve: [UInt8] = [0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]
        let content = [0x02, 0x01, 0x01, 0x04, 0x20] + (try decoded(d)) + curve
        return try AccountKey(PrivateKey(pem: pem("EC PRIVATE KEY", [0x30, UInt8(content.count)] + content)))
    }

    /// Whether the openssl program takes a signature of r and s over these bytes.
    private func openSSLAccepts(_ signature: [UInt8], over message: [UInt8], _ bench: Workbench) async throws -> Bool {
        // A SubjectPublicKeyInfo of P-256 (RFC 5480 §2), and an Ecdsa-Sig-Value (RFC 3279 §2.2.3).
        let header: [UInt8] = [
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
            0x03, 0x42, 0x00, 0x04,
        ]
        let key = Self.pem("PUBLIC KEY", header + (try Self.decoded(Self.x)) + (try Self.decoded(Self.y)))
        func integer(_ half: ArraySlice<UInt8>) -> [UInt8] {
            let digits = Array(half.drop { $0 == 0 })
            let padded = (digits.first ?? 0x80) & 0x80 == 0 ? digits : [0] + digits
            return [0x02, UInt8(padded.count)] + padded
        }
        let halves = integer(signature[..<32]) + integer(signature[32...])
        try bench.write("key.pem", key)
        try bench.write("signature", [0x30, UInt8(halves.count)] + halves)
        try bench.write("message", message)
        let result = try await run(
            .name("openssl"),
            arguments: ["dgst", "-sha256", "-verify", bench.path("key.pem"), "-signature", bench.path("signature"), bench.path("message")],
            output: .discarded, error: .discarded)
        return result.terminationStatus.isSuccess
    }

    @Test("RFC 7515 A.1: HS256 with the key of the example gives its MAC, which is what an external account's binding carries")
    func hs256() throws {
        let key = MACKey(try Self.decoded("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"))
        let header = Array("{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}".utf8)
        let input = base64url(header) + "." + base64url(Self.payload)
        #expect(
            input == "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
                + "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ")
        #expect(base64url(try key.signature(of: Array(input.utf8))) == "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")

        // RFC 8555 §7.3.4: HS256, the CA's key identifier, the URL of the outer JWS and no nonce; the payload is the account's key.
        let external = ExternalAccount(keyID: "kid-1") { message throws(SigningError) in try key.signature(of: message) }
        let binding = try external.binding(of: try Self.accountKey().publicKey, url: "https://example.com/acme/new-account")
        #expect(
            try Self.decoded(binding.protected) == Array(#"{"alg":"HS256","kid":"kid-1","url":"https://example.com/acme/new-account"}"#.utf8))
        #expect(try Self.decoded(binding.payload) == Array(#"{"crv":"P-256","kty":"EC","x":"\#(Self.x)","y":"\#(Self.y)"}"#.utf8))
        #expect(binding.signature == base64url(try key.signature(of: Array("\(binding.protected).\(binding.payload)".utf8))))
    }

    @Test("RFC 7515 A.3: the example's header and payload are signed as its signing input, and written as its three parts")
    func es256Input() throws {
        var seen: [UInt8] = []
        let message = try SignedMessage(header: ["alg": "ES256"], payload: Self.payload) { input throws(SigningError) in
            seen = input
            return bytes(base64url: Self.signature) ?? []
        }
        #expect(String(decoding: seen, as: UTF8.self) == Self.signingInput)
        #expect("\(message.protected).\(message.payload).\(message.signature)" == "\(Self.signingInput).\(Self.signature)")
        // RFC 7515 §7.2.2.
        let flattened = try JSONDecoder().decode([String: String].self, from: Data(message.bytes))
        #expect(flattened == ["protected": message.protected, "payload": message.payload, "signature": Self.signature])
    }

    @Test("RFC 7515 A.3: with the example's key, its published signature and ours are both good, for its signing input only")
    func es256() async throws {
        let key = try Self.accountKey()
        #expect(key.publicKey.x == Self.x && key.publicKey.y == Self.y)
        let input = Array(Self.signingInput.utf8)
        try await Workbench.with { bench throws in
            #expect(try await openSSLAccepts(try Self.decoded(Self.signature), over: input, bench))
            #expect(try await openSSLAccepts(try key.signature(of: input), over: input, bench))
            #expect(try await openSSLAccepts(try key.signature(of: input), over: input + [0], bench) == false)
        }
    }

    @Test("RFC 8555 §6.2: a request carries ES256, the nonce, the URL, and either the key or the account, and is signed with the key")
    func request() async throws {
        let key = try Self.accountKey()
        let url = "https://example.com/acme/new-order"
        for (who, member) in [
            (Identification.key, #""jwk":{"crv":"P-256","kty":"EC","x":"\#(Self.x)","y":"\#(Self.y)"},"#),
            (.account(url: "https://example.com/acme/acct/evOfKhNU60wg"), #""kid":"https://example.com/acme/acct/evOfKhNU60wg","#),
        ] {
            let body = try jws(payload: Array("{}".utf8), url: url, nonce: "5XJ1L3lEkMG7tR6pA00clA", as: who, signer: key)
            let parts = try JSONDecoder().decode([String: String].self, from: Data(body))
            let (protected, payload) = (try #require(parts["protected"]), try #require(parts["payload"]))
            #expect(
                String(decoding: try Self.decoded(protected), as: UTF8.self)
                    == #"{"alg":"ES256",\#(member)"nonce":"5XJ1L3lEkMG7tR6pA00clA","url":"\#(url)"}"#)
            #expect(payload == "e30")
            let signature = try Self.decoded(try #require(parts["signature"]))
            try await Workbench.with { bench throws in
                #expect(try await openSSLAccepts(signature, over: Array("\(protected).\(payload)".utf8), bench))
            }
        }
        // RFC 8555 §6.3: POST-as-GET has an empty payload, not an empty object.
        let body = try jws(payload: [], url: url, nonce: "n", as: .key, signer: key)
        #expect(try JSONDecoder().decode([String: String].self, from: Data(body))["payload"]?.isEmpty == true)
    }

    @Test("RFC 7638 §3.1: the hash of the example's canonical form is its thumbprint")
    func thumbprintOfRSA() throws {
        let modulus =
            "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXA"
            + "rwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4l"
            + "Fd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
        let canonical = #"{"e":"AQAB","kty":"RSA","n":"\#(modulus)"}"#
        #expect(base64url(try Self.accountKey().sha256(Array(canonical.utf8))) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
    }

    /// A key of which only the public half is known.
    private struct PublicOnly: Signer {
        let publicKey: JSONWebKey
        func signature(of message: [UInt8]) throws(SigningError) -> [UInt8] { throw SigningError(reason: "no private half") }
        func sha256(_ message: [UInt8]) throws(SigningError) -> [UInt8] {
            do { return try VectorTests.accountKey().sha256(message) } catch { throw SigningError(reason: "\(error)") }
        }
    }

    @Test(
        "RFC 8555 §8.1: the key authorization is the token of §8.3's example and the thumbprint; that of RFC 9449 §6.1's P-256 key is the published one"
    )
    func keyAuthorizationOfPublishedKey() throws {
        let key = JSONWebKey(
            x: try Self.decoded("l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs"), y: try Self.decoded("9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"))
        let token = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"
        #expect(
            try keyAuthorization(token: token, signer: PublicOnly(publicKey: key)) == token + ".0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I")
    }

    @Test("RFC 9773 §4.1: the identifier of appendix A's certificate, serial with its leading zero")
    func renewalIdentifierOfCertificate() throws {
        // RFC 9773 appendix A.
        let pem = """
            -----BEGIN CERTIFICATE-----
            MIIBQzCB66ADAgECAgUAh2VDITAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFt
            cGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAxMDEwMDAwMDBaMBYxFDAS
            BgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu
            7cbpAYNXZLbbh8rNIzuOoqOOtmxA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf
            qzLQ2PPQxdTXREYEnKMjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4B
            yNQwCgYIKoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb
            +FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK
            -----END CERTIFICATE-----
            """
        let certificate = try #require(try Certificate.chain(pem: Array(pem.utf8)).first)
        #expect(certificate.serialBytes == [0x00, 0x87, 0x65, 0x43, 0x21])
        let key = try #require(certificate.authorityKeyIdentifier)
        #expect(renewalIdentifier(authorityKey: key, serial: certificate.serialBytes) == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE")
    }

    @Test("RFC 8737 §3: the certificate for tls-alpn-01 has acmeIdentifier, critical, with the digest as an OCTET STRING, and the one name")
    func acmeIdentifier() async throws {
        let port = try Loopback.freePort()
        let responder = try TLSALPNResponder(listen: "127.0.0.1:\(port)")
        let authorization = try keyAuthorization(token: "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA", signer: try Self.accountKey())
        let digest = try Self.accountKey().sha256(Array(authorization.utf8))
        try await responder.present(ChallengeAnswer(name: "example.org", token: "t", keyAuthorization: authorization, digest: digest))
        let shown = try await run(
            .name("openssl"), arguments: ["s_client", "-connect", "127.0.0.1:\(port)", "-servername", "example.org", "-alpn", "acme-tls/1"],
            input: .none, output: .bytes(limit: 1 << 16), error: .discarded)
        let certificate = try #require(try Certificate.chain(pem: shown.standardOutput).first)
        // id-pe-acmeIdentifier is 1.3.6.1.5.5.7.1.31; then TRUE, and an OCTET STRING around an OCTET STRING of 32 bytes.
        let expected: [UInt8] =
            [0x30, 0x31, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x1f, 0x01, 0x01, 0xff, 0x04, 0x22, 0x04, 0x20] + digest
        let der = try certificate.der()
        #expect((0...der.count - expected.count).contains { der[$0..<$0 + expected.count].elementsEqual(expected) })
        #expect(certificate.names == ["example.org"])
        withExtendedLifetime(responder) {}
    }
}
