import ACME
import OpenSSL
import Testing

@Suite("The ACME protocol, with a scripted CA")
struct ProtocolTests {
    typealias Rule = @Sendable (HTTPRequest, Int) -> Result<HTTPResponse, TransportError>?

    struct Outcome {
        var result: Result<[UInt8], ACMEError>
        var log: [String]
        var passed: Duration
        var solver: RecordingSolver
        var error: ACMEError? { if case .failure(let error) = result { error } else { nil } }
    }

    func issue(_ rules: Rule..., account: String? = nil) async throws -> Outcome {
        let (transport, time, solver) = (ScriptedTransport(rules), ScriptedTime(), RecordingSolver())
        let client = Client(directory: "https://ca/dir", account: account, transport: transport, signer: try AccountKey(PrivateKey()), time: time)
        let issuance = Issuance(
            client: client, names: ["example.org"], contact: "a@example.org", solver: solver,
            makeRequest: { () throws(SigningError) in [1, 2, 3] })
        let result: Result<[UInt8], ACMEError>
        do throws(ACMEError) { result = .success(try await issuance.run().chain) } catch { result = .failure(error) }
        return Outcome(result: result, log: transport.log, passed: time.elapsed(), solver: solver)
    }

    @Test("the straight way takes each step once")
    func straight() async throws {
        let outcome = try await issue()
        #expect(outcome.result == .success(Array(ScriptedTransport.certificate.utf8)))
        let pages = ["dir", "nonce", "account", "order", "authz", "challenge", "order/1", "finalize", "order/1", "certificate"]
        #expect(outcome.log == pages.map { "https://ca/" + $0 })
        #expect(outcome.solver.presented.first?.token == "tok-en_1")
        #expect(outcome.solver.presented.first?.keyAuthorization.hasPrefix("tok-en_1.") == true)
        #expect(outcome.solver.removed == 1)
    }

    @Test("a known account saves its request, and is asked for when the CA has forgotten it")
    func knownAccount() async throws {
        #expect(try await issue(account: "https://ca/account/1").log.contains("https://ca/account") == false)
        let forgotten = try await issue(
            { request, count in request.url == "https://ca/order" && count == 0 ? ScriptedTransport.problem("accountDoesNotExist", status: 400) : nil
            },
            account: "https://ca/account/0")
        #expect(forgotten.log.filter { $0 == "https://ca/order" }.count == 2)
        #expect((try? forgotten.result.get()) != nil)
    }

    @Test(
        "Retry-After is obeyed while waiting, in seconds and as a date",
        arguments: ["30", "Sun, 06 Nov 1994 08:50:07 GMT", "Sunday, 06-Nov-94 08:50:07 GMT", "Sun Nov  6 08:50:07 1994"])
    func waiting(_ value: String) async throws {
        let outcome = try await issue({ request, count in
            request.url == "https://ca/order/1" && count == 0
                ? ScriptedTransport.ok(ScriptedTransport.order("pending"), [("retry-after", value)]) : nil
        })
        #expect((try? outcome.result.get()) != nil)
        #expect(outcome.passed >= .seconds(29) && outcome.passed < .seconds(32))
    }

    @Test("an order that never becomes ready ends at the deadline, asked for ever more rarely")
    func never() async throws {
        let outcome = try await issue({ request, _ in
            request.url == "https://ca/order/1" ? ScriptedTransport.ok(ScriptedTransport.order("pending")) : nil
        })
        #expect(outcome.error == .timedOut(waitingFor: .validation))
        #expect(outcome.log.count < 90)
        #expect(outcome.solver.removed == 1)
    }

    @Test("a nonce that is refused for ever ends, and does not hammer")
    func badNonces() async throws {
        let outcome = try await issue({ request, _ in
            request.url == "https://ca/account" ? ScriptedTransport.problem("badNonce", status: 400) : nil
        })
        guard case .problem(let problem, _, _, _) = outcome.error else { return #expect(Bool(false), "\(outcome.result)") }
        #expect(problem.name == "badNonce")
        #expect(outcome.passed > .seconds(10))
    }

    @Test(
        "one or two failures in a row are ridden out at any step",
        arguments: ["dir", "nonce", "account", "order", "authz", "challenge", "order/1", "finalize", "certificate"])
    func trouble(_ page: String) async throws {
        for failure in [
            ScriptedTransport.problem("serverInternal", status: 500), .success(HTTPResponse(status: 503, headers: [("retry-after", "2")])),
            .failure(TransportError(kind: .broken, code: 56, text: "reset")),
        ] {
            let outcome = try await issue({ request, count in request.url == "https://ca/\(page)" && count < 2 ? failure : nil })
            #expect((try? outcome.result.get()) != nil, "\(page): \(outcome.result)")
        }
    }

    @Test("what the CA did although its answer was lost is not refused, and not done twice", arguments: ["challenge", "finalize"])
    func lostAnswer(_ page: String) async throws {
        // The first is lost, the second refused: it is done already. The state says so.
        let outcome = try await issue({ request, count in
            guard request.url == "https://ca/\(page)" else { return nil }
            switch count {
            case 0: return .failure(TransportError(kind: .broken, code: 56, text: "reset"))
            case 1: return ScriptedTransport.problem(page == "challenge" ? "malformed" : "orderNotReady", status: 403)
            default: return nil
            }
        })
        #expect((try? outcome.result.get()) != nil, "\(outcome.result)")
        #expect(outcome.log.filter { $0 == "https://ca/\(page)" }.count == (page == "challenge" ? 3 : 2))
    }

    @Test(
        "what is no https URL is never asked", arguments: ["http://ca/x", "file:///etc/passwd", "https://a@ca/x", "https://ca/\u{1b}[31m", "/x", ""])
    func badLink(_ link: String) async throws {
        let order = ScriptedTransport.order("pending").replacing("https://ca/authz", with: link.replacing("\u{1b}", with: "\\u001b"))
        let outcome = try await issue({ request, _ in
            request.url == "https://ca/order" ? ScriptedTransport.ok(order, status: 201, [("location", "https://ca/order/1")]) : nil
        })
        guard case .unexpected(_, _, .badLink) = outcome.error else { return #expect(Bool(false), "\(outcome.result)") }
        #expect(!outcome.log.contains(link))
    }

    @Test("a name that was not ordered is not answered for, and an order without a name is not gone on with")
    func otherNames() async throws {
        let foreign =
            #"{"identifier":{"type":"dns","value":"--evil"},"status":"pending","challenges":[{"type":"http-01","url":"https://ca/challenge","token":"t"}]}"#
        let authorization = try await issue({ request, _ in request.url == "https://ca/authz" ? ScriptedTransport.ok(foreign) : nil })
        guard case .unexpected(_, _, .foreignName("--evil")) = authorization.error else { return #expect(Bool(false), "\(authorization.result)") }
        #expect(authorization.solver.presented.isEmpty)

        let short = ScriptedTransport.order("pending").replacing("\"example.org\"", with: "\"www.example.org\"")
        let order = try await issue({ request, _ in
            request.url == "https://ca/order" ? ScriptedTransport.ok(short, status: 201, [("location", "https://ca/order/1")]) : nil
        })
        guard case .unexpected(_, _, .missing) = order.error else { return #expect(Bool(false), "\(order.result)") }
    }

    @Test("a rate limit is not tried again, and tells when to come back")
    func rateLimited() async throws {
        let outcome = try await issue({ request, _ in
            request.url == "https://ca/order" ? ScriptedTransport.problem("rateLimited", status: 429, [("retry-after", "3600")]) : nil
        })
        guard case .problem(let problem, 429, _, 3600) = outcome.error else { return #expect(Bool(false), "\(outcome.result)") }
        #expect(problem.name == "rateLimited")
        #expect(outcome.log.filter { $0 == "https://ca/order" }.count == 1)
    }

    @Test("subproblems name their names, and no control character comes through")
    func subproblems() async throws {
        let body =
            #"{"type":"urn:ietf:params:acme:error:rejectedIdentifier","detail":"no\u001b[31m\n","subproblems":[{"type":"urn:ietf:params:acme:error:caa","detail":"forbidden","identifier":{"type":"dns","value":"example.org"}}]}"#
        let outcome = try await issue({ request, _ in request.url == "https://ca/order" ? ScriptedTransport.ok(body, status: 403) : nil })
        guard case .problem(let problem, _, _, _) = outcome.error else { return #expect(Bool(false), "\(outcome.result)") }
        #expect(problem.detail == "no[31m")
        #expect(problem.subproblems.first?.identifier?.value == "example.org")
    }

    @Test("a token that is no base64url never becomes a file name", arguments: ["../../etc/passwd", "", "a/b", "a b", "\\u0000"])
    func evilToken(_ token: String) async throws {
        let body =
            #"{"identifier":{"type":"dns","value":"example.org"},"status":"pending","challenges":[{"type":"http-01","url":"https://ca/challenge","token":"\#(token)"}]}"#
        let outcome = try await issue({ request, _ in request.url == "https://ca/authz" ? ScriptedTransport.ok(body) : nil })
        #expect(outcome.error == .challenge(name: "example.org", .badToken))
        #expect(outcome.solver.presented.isEmpty)
    }

    @Test(
        "answers that RFC 8555 does not permit are errors, whatever they are",
        arguments: ["", "[]", "{", "null", "<html>", #"{"newNonce":1}"#, String(repeating: "[", count: 5000)])
    func nonsense(_ body: String) async throws {
        for page in ["dir", "order", "authz", "order/1", "finalize"] {
            let outcome = try await issue({ request, _ in
                request.url == "https://ca/\(page)" ? ScriptedTransport.ok(body, [("location", "https://ca/order/1")]) : nil
            })
            guard case .unexpected = outcome.error else { return #expect(Bool(false), "\(page): \(outcome.result)") }
        }
    }

    @Test("a redirect is not followed")
    func redirect() async throws {
        let outcome = try await issue({ request, _ in
            request.url == "https://ca/dir" ? ScriptedTransport.ok("", status: 302, [("location", "https://elsewhere/")]) : nil
        })
        #expect(outcome.error == .unexpected(url: "https://ca/dir", status: 302, what: .redirect))
    }
}

@Suite("Encodings")
struct EncodingTests {
    @Test(
        "base64url of RFC 4648 §10, without padding",
        arguments: zip(["", "f", "fo", "foo", "foob", "fooba", "foobar"], ["", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"]))
    func base64(_ text: String, _ expected: String) {
        #expect(base64url(text.utf8) == expected)
    }

    @Test("the alphabet of base64url")
    func alphabet() {
        #expect(base64url([0xfb, 0xff, 0xbf]) == "-_-_")
    }

    @Test("the key authorization is the token and the thumbprint of the key in its canonical form")
    func thumbprint() throws {
        let key = try AccountKey(PrivateKey())
        let canonical = #"{"crv":"P-256","kty":"EC","x":"\#(key.publicKey.x)","y":"\#(key.publicKey.y)"}"#
        #expect(try keyAuthorization(token: "abc", signer: key) == "abc." + base64url(try key.sha256(Array(canonical.utf8))))
        #expect(key.publicKey.x.count == 43 && key.publicKey.y.count == 43)
        #expect(try key.signature(of: [1]).count == 64)
    }

    @Test("SHA-256 of FIPS 180-4's example")
    func hash() throws {
        let digest = try AccountKey(PrivateKey()).sha256(Array("abc".utf8))
        #expect(base64url(digest) == "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0")
    }
}
