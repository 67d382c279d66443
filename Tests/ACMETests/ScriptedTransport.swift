import ACME
import Synchronization

/// A CA that answers from a script, and time that passes only when somebody waits.
final class ScriptedTransport: Transport {
    private let state: Mutex<(rules: [@Sendable (HTTPRequest, Int) -> Result<HTTPResponse, TransportError>?], log: [String])>

    /// Each rule sees the request and how often its URL was asked before; the first that answers decides.
    init(_ rules: [@Sendable (HTTPRequest, Int) -> Result<HTTPResponse, TransportError>?]) {
        state = Mutex((rules + [Self.polite], []))
    }

    var log: [String] { state.withLock { $0.log } }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let result = state.withLock { state in
            let count = state.log.filter { $0 == request.url }.count
            state.log.append(request.url)
            return state.rules.lazy.compactMap { $0(request, count) }.first
        }
        guard let result else { throw TransportError(kind: .connect, code: 7, text: "no such page: \(request.url)") }
        return try result.get()
    }

    /// A CA that does everything right, for the name example.org.
    static let polite: @Sendable (HTTPRequest, Int) -> Result<HTTPResponse, TransportError>? = { request, count in
        let path = request.url.dropFirst("https://ca".count)
        switch path {
        case "/dir":
            let body = #"{"newNonce":"https://ca/nonce","newAccount":"https://ca/account","newOrder":"https://ca/order"}"#
            return .success(HTTPResponse(status: 200, body: Array(body.utf8)))
        case "/nonce": return ok("")
        case "/account": return ok("{}", status: 201, [("location", "https://ca/account/1")])
        case "/order": return ok(order("pending"), status: 201, [("location", "https://ca/order/1")])
        case "/authz":
            return ok(
                #"{"identifier":{"type":"dns","value":"example.org"},"status":"pending","challenges":[{"type":"dns-01","url":"https://ca/dns","token":"x"},{"type":"http-01","url":"https://ca/challenge","token":"tok-en_1"}]}"#
            )
        case "/challenge": return ok(#"{"type":"http-01","url":"https://ca/challenge","status":"processing"}"#)
        case "/order/1": return ok(count == 0 ? order("ready") : order("valid"))
        case "/finalize": return ok(order("processing"))
        case "/certificate": return ok(certificate)
        default: return nil
        }
    }

    /// Looks like one; nobody reads it here.
    static let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"

    static func order(_ status: String) -> String {
        #"{"status":"\#(status)","identifiers":[{"type":"dns","value":"example.org"}],"authorizations":["https://ca/authz"],"finalize":"https://ca/finalize","certificate":"https://ca/certificate"}"#
    }

    static func ok(_ body: String, status: Int = 200, _ headers: [(name: String, value: String)] = []) -> Result<HTTPResponse, TransportError> {
        .success(HTTPResponse(status: status, headers: [("replay-nonce", "bm9uY2U")] + headers, body: Array(body.utf8)))
    }

    static func problem(_ name: String, status: Int, detail: String = "because", _ headers: [(name: String, value: String)] = []) -> Result<
        HTTPResponse, TransportError
    > {
        ok(#"{"type":"urn:ietf:params:acme:error:\#(name)","detail":"\#(detail)"}"#, status: status, headers)
    }
}

/// Time that passes only by waiting.
final class ScriptedTime: TimeSource {
    private let passed = Mutex(Duration.zero)
    func elapsed() -> Duration { passed.withLock { $0 } }
    func date() -> Int { 784_111_777 + Int(elapsed().components.seconds) }
    func sleep(_ duration: Duration) async throws {
        passed.withLock { $0 += duration }
        await Task.yield()
    }
}

/// A solver that only remembers.
final class RecordingSolver: ChallengeSolver {
    private let state = Mutex<(present: [ChallengeAnswer], removed: Int)>(([], 0))
    var type: String { "http-01" }
    var presented: [ChallengeAnswer] { state.withLock { $0.present } }
    var removed: Int { state.withLock { $0.removed } }
    func present(_ answer: ChallengeAnswer) async throws(ChallengeError) { state.withLock { $0.present.append(answer) } }
    func remove(_ answer: ChallengeAnswer) async -> Bool {
        state.withLock { $0.removed += 1 }
        return true
    }
}
