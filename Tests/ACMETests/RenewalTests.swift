import CertificateStore
import OpenSSL
import Synchronization
import Testing

@testable import ACME

@Suite("Renewal information and what a certificate replaces (RFC 9773)")
struct RenewalTests {
    typealias Rule = @Sendable (HTTPRequest, Int) -> Result<HTTPResponse, TransportError>?

    private static let directory: Rule = { request, _ in
        guard request.url == "https://ca/dir" else { return nil }
        return ScriptedTransport.ok(
            #"{"newNonce":"https://ca/nonce","newAccount":"https://ca/account","newOrder":"https://ca/order","renewalInfo":"https://ca/ari","meta":{"profiles":{"shortlived":"six days"}}}"#
        )
    }

    /// Issues, and returns the payloads of the orders.
    private func orders(_ wishes: Wishes, refusing problem: String? = nil) async throws -> (orders: [String], error: ACMEError?) {
        let payloads = Mutex<[Int: String]>([:])
        let rule: Rule = { request, count in
            guard request.url == "https://ca/order" else { return nil }
            let body = String(decoding: request.body, as: UTF8.self)
            let payload = body.split(separator: "\"").drop { $0 != "payload" }.dropFirst(2).first ?? ""
            payloads.withLock { $0[count] = String(decoding: bytes(base64url: payload) ?? [], as: UTF8.self) }
            return count == 0 ? problem.map { ScriptedTransport.problem($0, status: 409) } : nil
        }
        let client = Client(
            directory: "https://ca/dir", account: nil, transport: ScriptedTransport([Self.directory, rule]), signer: try AccountKey(PrivateKey()),
            time: ScriptedTime())
        let issuance = Issuance(
            client: client, names: ["example.org"], contact: nil, wishes: wishes, solver: RecordingSolver(),
            makeRequest: { () throws(SigningError) in [1] })
        do throws(ACMEError) {
            _ = try await issuance.run()
            return (payloads.withLock { $0.sorted { $0.key < $1.key }.map(\.value) }, nil)
        } catch {
            return (payloads.withLock { $0.sorted { $0.key < $1.key }.map(\.value) }, error)
        }
    }

    @Test("an order says what it replaces and which profile it wants")
    func order() async throws {
        let (orders, error) = try await orders(Wishes(profile: "shortlived", replaces: "aa.bb"))
        #expect(error == nil)
        #expect(orders == [#"{"identifiers":[{"type":"dns","value":"example.org"}],"profile":"shortlived","replaces":"aa.bb"}"#])
    }

    @Test("a renewal that is refused as replaced already is ordered again without that", arguments: ["alreadyReplaced", "malformed"])
    func alreadyReplaced(_ problem: String) async throws {
        let (orders, error) = try await orders(Wishes(replaces: "aa.bb"), refusing: problem)
        #expect(error == nil)
        #expect(orders.count == 2 && orders[0].contains("replaces") && !orders[1].contains("replaces"))
    }

    @Test("any other refusal is not asked again")
    func otherRefusal() async throws {
        let (orders, error) = try await orders(Wishes(replaces: "aa.bb"), refusing: "rejectedIdentifier")
        #expect(error != nil && orders.count == 1)
    }

    @Test("a profile that the CA does not have is not ordered")
    func unknownProfile() async throws {
        let (orders, error) = try await orders(Wishes(profile: "classic"))
        #expect(orders.isEmpty && error == .unknownProfile("classic", offered: ["shortlived"]))
    }

    @Test("the identifier of RFC 9773 §4.1's example")
    func identifier() {
        let key: [UInt8] = [0x69, 0x88, 0x5b, 0x6b, 0x87, 0x46, 0x40, 0x41, 0xe1, 0xb3, 0x7b, 0x84, 0x7b, 0xa0, 0xae, 0x2c, 0xde, 0x01, 0xc8, 0xd4]
        #expect(renewalIdentifier(authorityKey: key, serial: [0x00, 0x87, 0x65, 0x43, 0x21]) == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE")
    }

    @Test("the window is read, with Retry-After; one that ends before it begins is none", arguments: [true, false])
    func window(_ isSound: Bool) async throws {
        let body =
            isSound
            ? #"{"suggestedWindow":{"start":"2025-01-02T04:00:00Z","end":"2025-01-03T04:00:00.5+01:00"},"explanationURL":"https://ca/why"}"#
            : #"{"suggestedWindow":{"start":"2025-01-03T04:00:00Z","end":"2025-01-02T04:00:00Z"}}"#
        let rule: Rule = { request, _ in request.url == "https://ca/ari/aa.bb" ? ScriptedTransport.ok(body, [("retry-after", "21600")]) : nil }
        let client = Client(
            directory: "https://ca/dir", account: nil, transport: ScriptedTransport([Self.directory, rule]), signer: try AccountKey(PrivateKey()),
            time: ScriptedTime())
        let info = try? await client.renewalInfo("aa.bb")
        #expect(info == (isSound ? RenewalInfo(start: 1_735_790_400, end: 1_735_873_200, explanationURL: "https://ca/why", retryAfter: 21600) : nil))
    }

    @Test(
        "times of RFC 3339 are read, and nothing else",
        arguments: zip(
            [
                "1970-01-01T00:00:00Z", "2025-01-02T04:00:00.123456789Z", "2025-01-02T04:00:00-01:30", "2025-01-02", "2025-13-02T04:00:00Z",
                "2025-01-02T04:00:00", "x",
            ],
            [0, 1_735_790_400, 1_735_795_800, nil, nil, nil, nil]))
    func times(_ text: String, _ expected: Int?) {
        #expect(seconds(rfc3339: text) == expected)
    }

    @Test("alternate chains are found among other links")
    func alternates() {
        let response = HTTPResponse(
            status: 200,
            headers: [
                ("link", "<https://ca/dir>;rel=\"index\""), ("link", "<https://ca/1>; rel=\"alternate\", <https://ca/2>;rel=alternate"),
                ("link", "<http://ca/3>;rel=\"alternate\""),
            ])
        #expect(links(of: response, relation: "alternate") == ["https://ca/1", "https://ca/2"])
    }

    @Test(
        "base64url is read back, and what is none is refused",
        arguments: zip(["", "Zg", "Zm9vYmFy", "Zm9vYg==\n", "-_-_", "Z", "Zh", "Z!"], ["", "f", "foobar", "foob", nil, nil, nil, nil]))
    func decoding(_ text: String, _ expected: String?) {
        if text == "-_-_" { return #expect(bytes(base64url: text) == [0xfb, 0xff, 0xbf]) }
        #expect(bytes(base64url: text) == expected.map { Array($0.utf8) })
    }

    @Test("HMAC-SHA256 of RFC 4231 §4.2 and §4.3")
    func mac() throws {
        #expect(
            base64url(try MACKey(Array(repeating: 0x0b, count: 20)).signature(of: Array("Hi There".utf8)))
                == "sDRMYdjbOFNcqK_OrwvxK4gdwgDJgz2nJuk3bC4yz_c")
        #expect(
            base64url(try MACKey(Array("Jefe".utf8)).signature(of: Array("what do ya want for nothing?".utf8)))
                == "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM")
    }
}
