internal import FoundationEssentials

/// An ACME client for one account at one CA: signs, keeps nonces, repeats what may be repeated (RFC 8555 §6).
public actor Client {
    let directoryURL: String
    let transport: any Transport
    let signer: any Signer
    let time: any TimeSource
    /// On the scale of `time.elapsed()`.
    let deadline: Duration
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
    public init(
        directory: String, account: String?, transport: any Transport, signer: any Signer,
        time: any TimeSource = SystemTime(), limit: Duration = .seconds(300)
    ) {
        directoryURL = directory
        accountURL = account
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
        try decode(Directory.self, from: try await getOnce(directoryURL, step: .directory), url: directoryURL)
    }

    /// A page that anybody may read.
    func get(_ url: String, step: Step) async throws(ACMEError) -> HTTPResponse {
        try await persist(step) { () async throws(ACMEError) in try await self.getOnce(url, step: step) }
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
                try await self.fetchNonce(url)
            }
        }
    }

    private func fetchNonce(_ url: String) async throws(ACMEError) {
        let response = try await exchange(HTTPRequest(.head, url), step: .account)
        // 200 for HEAD; 204 where a CA treats it as GET (RFC 8555 §7.2).
        guard response.status == 200 || response.status == 204 else { throw failure(response, url: url) }
    }

    /// A signed POST; an empty payload is POST-as-GET (RFC 8555 §6.3). The response has a status of 2xx.
    func post(
        _ url: String, payload: [UInt8], step: Step, as identification: Identification? = nil, accept: String? = nil
    ) async throws(ACMEError) -> HTTPResponse {
        try await persist(step) { () async throws(ACMEError) in
            try await self.postOnce(url, payload: payload, step: step, as: identification, accept: accept)
        }
    }

    /// Repeats only for nonces that the CA does not take: that is no failure (RFC 8555 §6.5).
    private func postOnce(
        _ url: String, payload: [UInt8], step: Step, as identification: Identification?, accept: String?
    ) async throws(ACMEError) -> HTTPResponse {
        var refused = 0
        while true {
            if nonces.count == 0 { try await fetch(nonces: 1) }
            guard let nonce = nonces.take() else { throw .unexpected(url: url, status: 200, what: .missing("replay-nonce")) }
            let who = identification ?? accountURL.map { .account(url: $0) } ?? .key
            let body: [UInt8]
            do {
                body = try jws(payload: payload, url: url, nonce: nonce, as: who, signer: signer)
            } catch { throw .signing(error) }
            var headers = [(name: "content-type", value: "application/jose+json")]
            if let accept { headers.append((name: "accept", value: accept)) }
            let response = try await exchange(HTTPRequest(.post, url, headers: headers, body: body), step: step)
            if (200..<300).contains(response.status) { return response }
            let failure = failure(response, url: url)
            guard case .problem(let problem, _, _, _) = failure, problem.name == "badNonce", refused < 200 else { throw failure }
            refused += 1
            // An honest CA refuses one or two in a row; one that goes on is not to be hammered.
            if refused > 25 { try await pause(.milliseconds(min(refused, 100)), for: step) }
        }
    }

    /// One request and its response, before the deadline.
    private func exchange(_ request: HTTPRequest, step: Step) async throws(ACMEError) -> HTTPResponse {
        guard time.elapsed() < deadline else { throw .timedOut(waitingFor: step) }
        let began = time.elapsed()
        do {
            let response = try await transport.send(request)
            lastExchange = time.elapsed() - began
            nonces.add(from: response)
            return response
        } catch {
            throw error.kind == .cancelled ? .cancelled : .transport(url: request.url, error)
        }
    }

    /// Rides out one or two failures in a row: a broken connection, a 5xx, a short Retry-After.
    private func persist<Value: Sendable>(
        _ step: Step, _ attempt: () async throws(ACMEError) -> Value
    ) async throws(ACMEError) -> Value {
        var failures = 0
        while true {
            do {
                return try await attempt()
            } catch {
                failures += 1
                guard failures < 3, let wait = repetition(of: error, failures: failures) else { throw error }
                try await pause(wait, for: step)
            }
        }
    }

    /// How long to wait before the same request may be sent again; nil when it must not be.
    private func repetition(of error: ACMEError, failures: Int) -> Duration? {
        let ours = Duration.milliseconds(failures == 1 ? 250 : 1000)
        switch error {
        case .transport(_, let error):
            switch error.kind {
            case .connect, .timeout, .broken, .resolve: return ours
            case .tls, .tooLarge, .setup, .cancelled: return nil
            }
        case .problem(let problem, let status, _, let after):
            guard status >= 500 || status == 429 else { return nil }
            // A rate limit without a time is one of hours.
            guard let after else { return problem.name == "rateLimited" || status == 429 ? nil : ours }
            return after <= 10 ? max(ours, .seconds(after)) : nil
        default: return nil
        }
    }

    /// Waits, but not past the deadline.
    func pause(_ duration: Duration, for step: Step) async throws(ACMEError) {
        guard time.elapsed() + duration < deadline else { throw .timedOut(waitingFor: step) }
        do { try await time.sleep(duration) } catch { throw .cancelled }
    }

    func decode<Value: Decodable>(_ type: Value.Type, from response: HTTPResponse, url: String) throws(ACMEError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(response.body))
        } catch DecodingError.keyNotFound(let key, _) {
            throw .unexpected(url: url, status: response.status, what: .missing(key.stringValue))
        } catch {
            throw .unexpected(url: url, status: response.status, what: .notJSON)
        }
    }

    /// What a response that is no success means.
    func failure(_ response: HTTPResponse, url: String) -> ACMEError {
        let after = retryAfter(response.header("retry-after"), now: time.date())
        if (300..<400).contains(response.status) { return .unexpected(url: url, status: response.status, what: .redirect) }
        if let problem = try? JSONDecoder().decode(Problem.self, from: Data(response.body)) {
            return .problem(problem, status: response.status, url: url, retryAfter: after)
        }
        guard response.status >= 400 else { return .unexpected(url: url, status: response.status, what: .status) }
        // A gateway in front of the CA: no problem document, but the status and Retry-After count all the same.
        return .problem(Problem(type: "about:blank", detail: ""), status: response.status, url: url, retryAfter: after)
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
