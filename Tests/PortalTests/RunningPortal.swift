import ChatServer
import FoundationEssentials
import LocalHTTP
import Logging
import ProsodyFixture
import ServiceLifecycle
import Synchronization

@testable import Portal

/// The portal on a socket of a test's own, with the real pages.
struct RunningPortal: Sendable {
    let client: LocalHTTPClient
    let socket: String

    /// Runs the portal while `body` runs.
    static func with<Result: Sendable>(
        _ chatServer: any ChatServer, siteName: String = "Rosewood", securityEmail: String? = nil,
        _ body: @Sendable @escaping (RunningPortal) async throws -> Result
    ) async throws -> Result {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let configuration = PortalConfiguration(
            domain: "chat.test", siteName: siteName, socket: folder + "/portal.sock", apiPort: 9, apiSecret: "", templates: templates,
            termsURI: "https://example.org/terms", securityEmail: securityEmail)
        let server = try PortalServer(configuration, chatServer: chatServer, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let portal = RunningPortal(client: LocalHTTPClient(target: .unix(path: configuration.socket)), socket: configuration.socket)
        // Ended as systemd's SIGTERM ends it: a mere cancellation would take the event loop from under connections that are still closing.
        let services = ServiceGroup(
            configuration: .init(services: [.init(service: server)], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                try await services.run()
                return nil
            }
            group.addTask {
                let result: Swift.Result<Result, any Error>
                do {
                    _ = try await eventually { try await portal.get("/_health") }
                    result = .success(try await body(portal))
                } catch {
                    result = .failure(error)
                }
                await services.triggerGracefulShutdown()
                return try result.get()
            }
            var result: Result?
            for try await ended in group { result = ended ?? result }
            guard let result else { throw FixtureError.closed }
            return result
        }
    }

    /// templates/portal of this checkout.
    static var templates: String {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path + "/templates/portal"
    }

    func get(_ path: String, _ headers: [(name: String, value: String)] = []) async throws -> Page {
        Page(try await client.send(.init(path: path, headers: headers), deadline: .seconds(10)))
    }

    /// Sends a form as a browser does.
    func post(
        _ path: String, _ fields: [(String, String)], cookie: String?, _ headers: [(name: String, value: String)] = []
    ) async throws -> Page {
        let body = fields.map { "\(percentEncoded($0.0))=\(percentEncoded($0.1))" }.joined(separator: "&")
        var headers = headers + [(name: "Content-Type", value: "application/x-www-form-urlencoded")]
        if let cookie { headers.append((name: "Cookie", value: cookie)) }
        return Page(try await client.send(.init(method: .post, path: path, headers: headers, body: Array(body.utf8)), deadline: .seconds(10)))
    }

    /// A response, as a browser sees it.
    struct Page: Sendable {
        let response: LocalHTTPClient.Response
        init(_ response: LocalHTTPClient.Response) { self.response = response }
        var status: Int { response.status }
        var html: String { String(decoding: response.body, as: UTF8.self) }
        /// `name=value` of the cookie that was set.
        var cookie: String? { response.header("Set-Cookie").map { String($0.prefix { $0 != ";" }) } }
        /// The hidden field's value.
        var formToken: String? {
            html.split(separator: "name=\"form\" value=\"").dropFirst().first.map { String($0.prefix { $0 != "\"" }) }
        }
        func header(_ name: String) -> String? { response.header(name) }
    }
}

/// Accounts and invitations in memory, and whatever error a test wants.
final class PretendedChatServer: ChatServer {
    struct State {
        var invitations: [String: Invitation] = [:]
        var users: [String: String] = [:]
        var error: ChatServerError?
        var calls = 0
    }
    let state = Mutex(State())

    init(_ invitation: Invitation? = Invitation.example, error: ChatServerError? = nil) {
        state.withLock {
            if let invitation { $0.invitations[invitation.token] = invitation }
            $0.error = error
        }
    }

    private func use<Result>(_ body: (inout sending State) throws(ChatServerError) -> sending Result) throws(ChatServerError) -> Result {
        try state.withLock { state throws(ChatServerError) in
            state.calls += 1
            if let error = state.error { throw error }
            return try body(&state)
        }
    }

    func createInvitation(_ request: InvitationRequest) async throws(ChatServerError) -> Invitation { .example }
    func invitations() async throws(ChatServerError) -> [Invitation] { try use { Array($0.invitations.values) } }
    func invitation(token: String) async throws(ChatServerError) -> Invitation? { try use { $0.invitations[token] } }
    func revokeInvitation(token: String) async throws(ChatServerError) { try use { $0.invitations[token] = nil } }
    func users() async throws(ChatServerError) -> [User] { [] }
    func beginTrial() async throws(ChatServerError) -> TrialAccount { TrialAccount(username: "", password: "") }
    func endTrial() async throws(ChatServerError) {}
    func tellAdministrators(_ text: String) async throws(ChatServerError) -> Int { try use { _ in 0 } }
    func ping() async throws(ChatServerError) { try use { _ in } }

    func register(token: String, username: String, password: String) async throws(ChatServerError) -> String {
        try use { state throws(ChatServerError) in
            guard state.invitations[token] != nil else { throw .invitationNotFound }
            guard state.users[username] == nil else { throw .usernameTaken }
            state.users[username] = password
            state.invitations[token] = nil
            return "\(username)@chat.test"
        }
    }
}

extension Invitation {
    static var example: Invitation {
        Invitation(
            token: "abc-DEF_123", url: "https://chat.test/invite/abc-DEF_123/", uri: "xmpp:chat.test?register;preauth=abc-DEF_123",
            expires: 4_000_000_000, isAdmin: false, isReusable: false, comment: "a secret note", inviter: nil)
    }
}
