import FoundationEssentials
public import LocalHTTP

/// The chat server Prosody, through the JSON API of our module `mod_snikket_api`.
public struct Prosody: ChatServer {
    private let client: LocalHTTPClient
    private let secret: String
    /// How long one answer may take. Making an account hashes a password, which takes a while on a small machine.
    private let patience = Duration.seconds(10)

    /// - Parameters:
    ///   - client: leads to Prosody's HTTP port; its Host field is the chat service's domain.
    ///   - secret: what Prosody's configuration has as `snikket_api_secret`.
    public init(client: LocalHTTPClient, secret: String) {
        self.client = client
        self.secret = secret
    }

    /// - Parameters:
    ///   - port: Prosody's HTTP port on loopback.
    ///   - domain: the chat service's domain.
    ///   - secret: what Prosody's configuration has as `snikket_api_secret`.
    public init(port: Int, domain: String, secret: String) {
        self.init(client: LocalHTTPClient(target: .tcp(host: "127.0.0.1", port: port), hostHeader: domain), secret: secret)
    }

    public func createInvitation(_ request: InvitationRequest) async throws(ChatServerError) -> Invitation {
        try await post("/invitations", NewInvitation(request), gives: InvitationMessage.self).invitation
    }

    public func invitations() async throws(ChatServerError) -> [Invitation] {
        try await get("/invitations", gives: InvitationList.self).invitations.map(\.invitation)
    }

    public func invitation(token: String) async throws(ChatServerError) -> Invitation? {
        // What could never be a token is not sent: it would have to be a header field's value.
        guard isToken(token) else { return nil }
        do {
            return try await get("/invitation", [("Invitation-Token", token)], gives: InvitationMessage.self).invitation
        } catch .invitationNotFound {
            return nil
        }
    }

    public func revokeInvitation(token: String) async throws(ChatServerError) {
        _ = try await post("/invitations/revoke", Token(token: token), gives: Nothing.self)
    }

    public func register(token: String, username: String, password: String) async throws(ChatServerError) -> String {
        let message = Registration(token: token, username: username, password: password)
        return try await post("/register", message, gives: Registered.self).address
    }

    public func users() async throws(ChatServerError) -> [User] {
        try await get("/users", gives: UserList.self).users.map(\.user)
    }

    public func tellAdministrators(_ text: String) async throws(ChatServerError) -> Int {
        try await post("/messages", Message(text: text), gives: Told.self).administrators
    }

    public func beginTrial() async throws(ChatServerError) -> TrialAccount {
        let made = try await post("/trial", Empty(), gives: TrialMessage.self)
        return TrialAccount(username: made.username, password: made.password)
    }

    public func endTrial() async throws(ChatServerError) { _ = try await post("/trial/end", Empty(), gives: Nothing.self) }

    public func ping() async throws(ChatServerError) { try await ping(within: patience) }

    /// Asks whether it answers.
    public func ping(within patience: Duration) async throws(ChatServerError) {
        // Asked every few seconds: that it answers is all there is to know.
        _ = try await exchange(.init(method: .get, path: "/snikket_api/ping"), within: patience)
    }

    /// Has it keep something, a row in its database and a file among the uploads, and read it back.
    ///
    /// - Returns: what could not be kept, and why, in words; empty when everything could.
    public func storageFaults(within patience: Duration) async throws(ChatServerError) -> [String] {
        try await get("/store", within: patience, gives: StorageFaults.self).faults
    }

    /// Which modules its configuration has and are not loaded, each with its host.
    public func missingModules(within patience: Duration) async throws(ChatServerError) -> [String] {
        try await get("/modules", within: patience, gives: MissingModules.self).missing
    }
}

extension Prosody {
    func get<Answer: Decodable>(
        _ path: String, _ headers: [(name: String, value: String)] = [], within patience: Duration? = nil, gives answer: Answer.Type
    ) async throws(ChatServerError) -> Answer {
        try await send(.init(method: .get, path: "/snikket_api" + path, headers: headers), within: patience, gives: answer)
    }

    private func post<Answer: Decodable>(
        _ path: String, _ message: some Encodable, gives answer: Answer.Type
    ) async throws(ChatServerError) -> Answer {
        let body: [UInt8]
        do {
            body = Array(try JSONEncoder().encode(message))
        } catch {
            throw .unexpected(status: 0, detail: "a request that is not JSON")
        }
        let headers = [(name: "Content-Type", value: "application/json")]
        return try await send(.init(method: .post, path: "/snikket_api" + path, headers: headers, body: body), gives: answer)
    }

    private func send<Answer: Decodable>(
        _ request: LocalHTTPClient.Request, within patience: Duration? = nil, gives answer: Answer.Type
    ) async throws(ChatServerError) -> Answer {
        let response = try await exchange(request, within: patience)
        do {
            return try decode(answer, response.body)
        } catch {
            // The decoder's own words would quote the answer, which may hold a token.
            throw .unexpected(status: response.status, detail: "an answer of another form")
        }
    }

    /// Sends a request with the secret; a response that refuses is an error.
    private func exchange(_ request: LocalHTTPClient.Request, within patience: Duration? = nil) async throws(ChatServerError)
        -> LocalHTTPClient.Response
    {
        var request = request
        request.headers.append((name: "Authorization", value: "Bearer \(secret)"))
        let response: LocalHTTPClient.Response
        do {
            response = try await client.send(request, deadline: patience ?? self.patience)
        } catch {
            throw .unreachable(detail: "\(error)")
        }
        guard (200..<300).contains(response.status) else {
            throw ChatServerError(refusal: try? decode(Refusal.self, response.body), status: response.status)
        }
        return response
    }

    private func decode<Message: Decodable>(_ type: Message.Type, _ bytes: [UInt8]) throws -> Message {
        try JSONDecoder().decode(type, from: Data(bytes))
    }

    /// Whether this could be a token: base64url characters (RFC 4648 §5), as Prosody makes them.
    private func isToken(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
