import ChatServer
import LocalHTTP
import ProsodyFixture
import Testing

@Suite("the API answers nobody else", .timeLimit(.minutes(1)))
struct APIGuardTests {
    @Test("a wrong secret, a proxied request, another host, too much, and no JSON are refused")
    func refusals() async throws {
        try await RunningProsody.with { prosody in
            func status(
                _ method: LocalHTTPClient.Method = .get, _ path: String = "/ping", host: String? = nil, secret: String? = nil,
                more: [(name: String, value: String)] = [], body: [UInt8] = []
            ) async throws -> Int {
                let headers = [(name: "Authorization", value: "Bearer \(secret ?? prosody.secret)")] + more
                let request = LocalHTTPClient.Request(method: method, path: "/snikket_api" + path, headers: headers, body: body)
                return try await prosody.client(host: host).send(request, deadline: .seconds(5)).status
            }
            #expect(try await status() == 200)
            #expect(try await status(secret: "") == 401)
            #expect(try await status(secret: String(prosody.secret.dropLast())) == 401)
            #expect(try await status(secret: prosody.secret + "x") == 401)
            for path in ["/users", "/invitations", "/invitation"] { #expect(try await status(.get, path, secret: "x") == 401) }
            for path in ["/invitations", "/invitations/revoke", "/register"] {
                #expect(try await status(.post, path, secret: "x", body: Array("{}".utf8)) == 401)
                #expect(try await status(.post, path, body: Array("{".utf8)) == 400)
                #expect(try await status(.post, path, body: Array("7".utf8)) == 400)
                #expect(try await status(.post, path, body: [UInt8](repeating: 32, count: 8193)) == 413)
            }
            for name in ["X-Forwarded-For", "Forwarded", "X-Real-IP"] {
                #expect(try await status(more: [(name: name, value: "203.0.113.9")]) == 403)
            }
            #expect(try await status(host: "127.0.0.1") == 421)
            #expect(try await status(host: "chat.test.example.org") == 421)
            #expect(try await status(host: "CHAT.test:5280") == 200)
            let plain = try await prosody.client().send(.init(path: "/snikket_api/ping"), deadline: .seconds(5))
            #expect(plain.status == 401 && plain.header("Access-Control-Allow-Origin") == nil)
            for request in [["lifetime": "0"], ["lifetime": "1.5"], ["lifetime": "\"x\""], ["lifetime": "99999999999"], ["comment": "7"]] {
                let body = request.map { "{\"\($0.key)\":\($0.value)}" }.joined()
                #expect(try await status(.post, "/invitations", body: Array(body.utf8)) == 400)
            }
        }
    }

    @Test("the errors tell a wrong secret from a server that is not there")
    func errors() async throws {
        try await RunningProsody.with { prosody in
            _ = await #expect(throws: ChatServerError.unauthorized) {
                try await Prosody(port: prosody.port, domain: prosody.domain, secret: "wrong").ping()
            }
        }
        await #expect(throws: ChatServerError.unreachable(detail: "refused")) {
            try await Prosody(port: freePort(), domain: "chat.test", secret: "wrong").ping()
        }
    }

    @Test("a Prosody that cannot have its port ends the test at once, instead of being waited for")
    func takenPort() async throws {
        try await RunningProsody.with { prosody in
            let error = await #expect(throws: FixtureError.self) { try await RunningProsody.with(port: prosody.port) { _ in } }
            guard case .notStarted(let output) = error else { return #expect(Bool(false), "\(String(describing: error))") }
            #expect(output.contains("Failed to open server port \(prosody.port)"))
        }
    }
}
