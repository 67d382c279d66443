internal import DNS
internal import FoundationEssentials

/// An ACME client for one account at one CA: signs, keeps nonces, repeats what may be repeated (RFC 8555 §6).
public actor Client {
    let directoryURL: String
    let transport: any Transport
    let signer: any Signer
    let time: any TimeSource
    /// On the scale of `time.elapsed()`.
    let deadline: Duration
    /// How long one answer may take.
    let patience: Duration
    private var nonces = NoncePool()
    private var known: Directory?
    /// How long the last request and its response took.
    private var lastExchange = Duration.zero
    /// The account's URL, which identifies it in every request (RFC 8555 §7.3).
    var accountURL: String?

    /// - Parameters:
    ///   - directory: the CA's directory URL.
    ///   - account: the account's URL when it is known from before: that saves a request.
    ///   - limit: the time for everything that this client does.
    ///   - patience: the time for one answer of the CA.
    public init(
        directory: String, account: String?, transport: any Transport, signer: any Signer,
        time: any TimeSource = SystemTime(), limit: Duration = .seconds(300), patience: Duration = .seconds(40)
    ) {
        directoryURL = directory
        accountURL = account
        self.patience = patience
        self.transport = transport
        self.signer = signer
        self.time = time
        deadline = time.elapsed() + limit
    }

    /// The directory; asked for once.
    public func directory() async throws(ACMEError) -> Directory {
        if let known { return known }
        let directory = try await persist(.directory) { () async throws(ACMEError) in try await self.fetchDirectory() }
        known = directory
        return directory
    }

    private func fetchDirectory() async throws(ACMEError) -> Directory {
        do throws(ACMEError) {
            return try decode(Directory.self, from: try await getOnce(directoryURL, step: .directory), url: directoryURL)
        } catch .problem(_, let status, _, _) where status == 404 || status == 410 {
            throw .noDirectory(url: directoryURL, status: status)
        }
    }

    /// What is read from a page that anybody may read.
    func get<Value: Sendable>(
        _ url: String, step: Step, reading: @Sendable (HTTPResponse) throws(ACMEError) -> Value
    ) async throws(ACMEError) -> Value {
        try await persist(step) { () async throws(ACMEError) in try reading(try await self.getOnce(url, step: step)) }
    }

    private func getOnce(_ url: String, step: Step) async throws(ACMEError) -> HTTPResponse {
        let response = try await exchange(HTTPRequest(.get, url), step: step)
        guard response.status == 200 else { throw failure(response, url: url) }
        return response
    }

    /// As many requests can be sent at once without waiting for a nonce.
    var noncesAtHand: Int { max(1, nonces.count) }

    /// Whether requests are answered so quickly that sending several at once gains less than the nonces for it cost.
    var isQuick: Bool { lastExchange < .milliseconds(20) }

    /// Fetches this many nonces, all at the same time.
    func fetch(nonces missing: Int) async throws(ACMEError) {
        let url = try await directory().newNonce
        _ = try await together(Array(0..<max(0, missing))) { (_: Int) async throws(ACMEError) in
            try await self.persist(.account) { () async throws(ACMEError) in
                await self.keepNonce(of: try await self.fetchNonce(url))
            }
        }
    }

    /// An answer with a nonce.
    private func fetchNonce(_ url: String) async throws(ACMEError) -> HTTPResponse {
        let response = try await exchange(HTTPRequest(.head, url), step: .account, keepsNonce: false)
        // 200 for HEAD; 204 where a CA treats it as GET (RFC 8555 §7.2).
        guard response.status == 200 || response.status == 204 else { throw failure(response, url: url) }
        guard response.nonce != nil else { throw .unexpected(url: url, status: response.status, what: .missing("replay-nonce")) }
        return response
    }

    private func keepNonce(of response: HTTPResponse) { nonces.add(from: response) }

    /// A nonce for one request: of those at hand, else a new one. That goes straight to whoever asked, past others who wait for theirs.
    private func nonce() async throws(ACMEError) -> String {
        if let nonce = nonces.take() { return nonce }
        return try await fetchNonce(try await directory().newNonce).nonce ?? ""
    }

    /// A signed POST; an empty payload is POST-as-GET (RFC 8555 §6.3). The response has a status of 2xx.
    func post(
        _ url: String, payload: [UInt8], step: Step, as identification: Identification? = nil, accept: String? = nil
    ) async throws(ACMEError) -> HTTPResponse {
        try await post(url, payload: payload, step: step, as: identification, accept: accept) { (response) throws(ACMEError) in response }
    }

    /// What is read from the response to a signed POST. A response that cannot be read counts as a failure that may pass.
    func post<Value: Sendable>(
        _ url: String, payload: [UInt8], step: Step, as identification: Identification? = nil, accept: String? = nil,
        reading: @Sendable (HTTPResponse) throws(ACMEError) -> Value
    ) async throws(ACMEError) -> Value {
        try await persist(step) { () async throws(ACMEError) in
            try reading(try await self.postOnce(url, payload: payload, step: step, as: identification, accept: accept))
        }
    }

    /// Repeats only for nonces that the CA does not take: that is no failure (RFC 8555 §6.5).
    private func postOnce(
        _ url: String, payload: [UInt8], step: Step, as identification: Identification?, accept: String?
    ) async throws(ACMEError) -> HTTPResponse {
        var refused = 0
        while true {
            let nonce = try await nonce()
            let who = identification ?? accountURL.map { .account(url: $0) } ?? .key
            let body: [UInt8]
            do {
                body = try jws(payload: payload, url: url, nonce: nonce, as: who, signer: signer)
            } catch { throw .signing(error) }
            var headers = [(name: "content-type", value: "application/jose+json")]
            if let accept { headers.append((name: "accept", value: accept)) }
            let began = time.elapsed()
            let response = try await exchange(HTTPRequest(.post, url, headers: headers, body: body), step: step)
            if (200..<300).contains(response.status) { return response }
            let failure = failure(response, url: url)
            guard case .problem(let problem, _, _, _) = failure, problem.name == "badNonce", refused < 200 else { throw failure }
            refused += 1
            // An honest CA refuses one or two in a row. One that goes on is asked half as often as it can answer, and in the end ten times a second.
            if refused > 90 {
                try await pause(.milliseconds(100), for: step)
            } else if refused > 20 {
                try await pause(min(time.elapsed() - began, .milliseconds(100)), for: step)
            }
        }
    }

    /// One request and its response, before the deadline.
    private func exchange(_ request: HTTPRequest, step: Step, keepsNonce: Bool = true) async throws(ACMEError) -> HTTPResponse {
        guard isLink(request.url) else { throw .unexpected(url: printable(request.url), status: 0, what: .badLink) }
        let left = deadline - time.elapsed()
        guard left > .zero else { throw .timedOut(waitingFor: step) }
        var request = request
        request.limit = min(patience, left)
        let began = time.elapsed()
        do {
            let response = try await transport.send(request)
            lastExchange = time.elapsed() - began
            if keepsNonce { nonces.add(from: response) }
            return response
        } catch {
            if error.kind == .timeout, time.elapsed() >= deadline { throw .timedOut(waitingFor: step) }
            throw error.kind == .cancelled ? .cancelled : .transport(url: request.url, error)
        }
    }
}

/// Does the same for all items, `atOnce` of them at the same time; the results in the items' order. The first failure ends the others.
func together<Item: Sendable, Value: Sendable>(
    _ items: [Item], atOnce: Int = .max, _ work: @escaping @Sendable (Item) async throws(ACMEError) -> Value
) async throws(ACMEError) -> [Value] {
    let results = await withTaskGroup(of: (Int, Result<Value, ACMEError>).self) { group in
        var waiting = items.enumerated().makeIterator()
        func begin() {
            guard let (index, item) = waiting.next() else { return }
            group.addTask {
                do throws(ACMEError) { return (index, .success(try await work(item))) } catch { return (index, .failure(error)) }
            }
        }
        for _ in 0..<min(atOnce, items.count) { begin() }
        var results: [(Int, Result<Value, ACMEError>)] = []
        var isFailed = false
        for await result in group {
            results.append(result)
            if case .failure = result.1 {
                isFailed = true
                group.cancelAll()
            }
            if !isFailed { begin() }
        }
        return results
    }
    // Others may have been cancelled because of the one that failed: that one is the reason.
    var reason: ACMEError?
    for case (_, .failure(let error)) in results where reason == nil || reason == .cancelled { reason = error }
    if let reason { throw reason }
    return try results.sorted { $0.0 < $1.0 }.map { result throws(ACMEError) in try result.1.get() }
}
