import CertificateStore
import OpenSSL
import PebbleFixture
import Testing

@testable import ACME

@Suite("CAA records, before the CA is asked (RFC 8659)")
struct CAATests {
    private func bind<Value: Sendable>(_ records: String, _ body: (CAACheck) async throws -> Value) async throws -> Value {
        try await Workbench.with { bench throws in
            let port = try Loopback.freePort()
            try bench.write("zone", "$TTL 60\n@ SOA ns admin 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n\(records)\n")
            let configuration = try bench.write(
                "named.conf",
                """
                options { directory "\(bench.folder)"; listen-on port \(port) { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; pid-file none;
                    session-keyfile "\(bench.path("session.key"))"; managed-keys-directory "\(bench.folder)"; dnssec-validation no; };
                controls {};
                zone "org" { type primary; file "zone"; };
                """)
            return try await bench.running("named", ["-g", "-n", "1", "-c", configuration], named: "named", port: port) {
                try await body(try #require(CAACheck(resolver: "127.0.0.1:\(port)")))
            }
        }
    }

    @Test("the closest record counts, for wildcards their own, and an unknown critical one forbids")
    func records() async throws {
        let zone = """
            example CAA 0 issue "other.net"
            example CAA 0 issuewild "ca.net"
            ours.example CAA 0 issue "CA.net; validationmethods=http-01"
            nobody CAA 0 issue ";"
            mail CAA 0 iodef "mailto:a@example.org"
            strict CAA 128 future "x"
            """
        try await bind(zone) { check throws in
            let names = [
                "example.org", "*.example.org", "share.example.org", "ours.example.org", "a.ours.example.org", "nobody.org", "mail.org", "strict.org",
                "free.org",
            ]
            let forbidden = await check.forbidden(names, for: ["ca.net"])
            #expect(forbidden.map(\.name) == ["example.org", "share.example.org", "nobody.org", "strict.org"])
            #expect(forbidden.map(\.domain) == ["example.org", "example.org", "nobody.org", "strict.org"])
            #expect(forbidden.map(\.allowed) == [["other.net"], ["other.net"], [], []])
            #expect(await check.forbidden(names, for: []).isEmpty, "a CA that does not say what it goes by")

            // Nothing is ordered from a CA that may not issue.
            let transport = ScriptedTransport([
                { request, _ in
                    request.url == "https://ca/dir"
                        ? ScriptedTransport.ok(
                            #"{"newNonce":"https://ca/nonce","newAccount":"https://ca/account","newOrder":"https://ca/order","meta":{"caaIdentities":["ca.net"]}}"#
                        ) : nil
                }
            ])
            let client = Client(
                directory: "https://ca/dir", account: nil, transport: transport, signer: try AccountKey(PrivateKey()), time: ScriptedTime())
            let issuance = Issuance(
                client: client, names: ["example.org"], contact: nil, solver: RecordingSolver(), caa: check,
                makeRequest: { () throws(SigningError) in [1] })
            await #expect(throws: ACMEError.forbidden(forbidden.filter { $0.name == "example.org" })) { try await issuance.run() }
            #expect(!transport.log.contains("https://ca/order"))
        }
    }

    @Test("a resolver that does not answer forbids nothing")
    func noResolver() async throws {
        let check = try #require(CAACheck(resolver: "127.0.0.1:\(try Loopback.freePort())"))
        #expect(await check.forbidden(["example.org"], for: ["ca.net"]).isEmpty)
    }
}
