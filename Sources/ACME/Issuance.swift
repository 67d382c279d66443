internal import DNS

/// One certificate for all the names: the story of RFC 8555 §7.1, in as few round trips as it permits.
public struct Issuance: Sendable {
    let client: Client
    let names: [String]
    let contact: String?
    let external: ExternalAccount?
    let wishes: Wishes
    let solver: any ChallengeSolver
    let selfCheck: (any SelfCheck)?
    let caa: CAACheck?
    let makeRequest: @Sendable () throws(SigningError) -> [UInt8]
    let progress: @Sendable (Step, String?) -> Void

    /// - Parameters:
    ///   - contact: the e-mail address that the CA keeps.
    ///   - external: what a new account is bound to.
    ///   - wishes: what the certificate should be like.
    ///   - makeRequest: makes the key and the signing request (DER); runs while the CA validates.
    ///   - progress: told of each step as it begins, with the name that it is about.
    public init(
        client: Client, names: [String], contact: String?, external: ExternalAccount? = nil, wishes: Wishes = Wishes(),
        solver: any ChallengeSolver, selfCheck: (any SelfCheck)? = nil, caa: CAACheck? = nil,
        makeRequest: @escaping @Sendable () throws(SigningError) -> [UInt8],
        progress: @escaping @Sendable (Step, String?) -> Void = { _, _ in }
    ) {
        self.client = client
        self.names = names
        self.contact = contact
        self.external = external
        self.wishes = wishes
        self.solver = solver
        self.selfCheck = selfCheck
        self.caa = caa
        self.makeRequest = makeRequest
        self.progress = progress
    }

    /// The chain, PEM, as the CA sent it; the account that was used. Nothing about the chain has been checked.
    public func run() async throws(ACMEError) -> (chain: [UInt8], account: String) {
        progress(.directory, nil)
        let identities = try await client.directory().meta?.caaIdentities ?? []
        async let forbidden = caa?.forbidden(names, for: identities) ?? []
        try await client.fetch(nonces: 1)
        let refused = await forbidden
        guard refused.isEmpty else { throw .forbidden(refused) }

        var (order, url, account) = try await place()
        // An honest order has one authorization a name; more of them would only keep us busy.
        guard order.authorizations.count <= names.count else {
            throw .unexpected(url: url, status: 201, what: .missing("one authorization for each name"))
        }
        // A name less would be a certificate that does not serve.
        guard Set(names).isSubset(of: order.identifiers.map { $0.value.lowercased() }) else {
            throw .unexpected(url: url, status: 201, what: .missing("every name that was asked for"))
        }
        // The key and its request are made while the CA is busy.
        async let made = signingRequest()
        if order.status == .pending {
            order = try await authorize(order, url: url)
        }
        let request = try await made.get()
        if order.status == .ready {
            progress(.finalize, nil)
            order = try await finalized(order, url: url, request: request)
        }
        guard order.status == .valid, let certificate = order.certificate else { throw .orderFailed(order.error) }
        progress(.certificate, nil)
        return (try await wishes.chain(of: certificate, from: client), account)
    }

    /// The account, then the order; once more when the CA has forgotten an account that we knew.
    private func place() async throws(ACMEError) -> (Order, url: String, account: String) {
        if let account = await client.accountURL {
            do throws(ACMEError) {
                progress(.order, nil)
                let (order, url) = try await order()
                return (order, url, account)
            } catch .problem(let problem, _, _, _) where problem.name == "accountDoesNotExist" {
                await client.forgetAccount()
            }
        }
        progress(.account, nil)
        let account = try await client.account(contact: contact, external: external)
        progress(.order, nil)
        let (order, url) = try await order()
        return (order, url, account)
    }

    /// The order, and meanwhile a nonce for each authorization, so that all of them can be asked for at once; the order's own is one.
    /// A CA that is near is asked for them one after the other: fewer requests, and no slower.
    private func order() async throws(ACMEError) -> (Order, url: String) {
        let missing = await client.isQuick ? 0 : names.count - 1
        // Those that do not come are asked for when they are needed.
        async let nonces: Void? = try? client.fetch(nonces: missing)
        let (order, url) = try await client.newOrder(names: names, profile: wishes.profile, replaces: wishes.replaces)
        _ = await nonces
        return (order, url)
    }

    /// Brings a pending order to `ready`, or says which names failed.
    private func authorize(_ order: Order, url: String) async throws(ACMEError) -> Order {
        progress(.authorizations, nil)
        let client = client
        let authorizations = try await together(order.authorizations, atOnce: client.noncesAtHand) { (url: String) async throws(ACMEError) in
            try await client.authorization(url)
        }
        let began = client.time.elapsed()
        var pending: [(challenge: Challenge, answer: ChallengeAnswer)] = []
        // Valid ones are left alone (RFC 8555 §7.1.4).
        for authorization in authorizations where authorization.status == .pending {
            pending.append(try challenge(of: authorization))
        }
        let answers = pending.map(\.answer)
        do throws(ACMEError) {
            for answer in answers { try await present(answer) }
            try await selfCheck?.check(all: answers)
            progress(.validation, nil)
            _ = try await together(pending.map(\.challenge), atOnce: client.noncesAtHand) { (challenge: Challenge) async throws(ACMEError) in
                try await client.answer(challenge)
            }
            // The CA needs about as long as one of our own exchanges to look; asking earlier would only be a wasted trip.
            let exchange = (client.time.elapsed() - began) / 2
            let validated = try await client.order(
                at: url, leaving: [.pending], first: max(.milliseconds(5), min(exchange, .milliseconds(500))), step: .validation)
            // Not by what it lists now: only these are known to be ours.
            if validated.status == .invalid { throw try await reason(of: validated, order.authorizations) }
            for answer in answers { await solver.remove(answer) }
            return validated
        } catch {
            for answer in answers { await solver.remove(answer) }
            throw error
        }
    }

    private func present(_ answer: ChallengeAnswer) async throws(ACMEError) {
        progress(.challenges, answer.name)
        do {
            try await solver.present(answer)
        } catch {
            throw .challenge(name: answer.name, error)
        }
    }

    private func challenge(of authorization: Authorization) throws(ACMEError) -> (Challenge, ChallengeAnswer) {
        let name = printable(authorization.identifier.value)
        // It goes to hook programs and DNS servers: nothing but what was asked for.
        guard names.contains(where: { $0 == name || $0 == "*." + name }) else {
            throw .unexpected(url: name, status: 200, what: .foreignName(name))
        }
        guard let challenge = authorization.challenges.first(where: { $0.type == solver.type }) else {
            throw .noChallenge(name: name, offered: authorization.challenges.map { printable($0.type) })
        }
        // A token becomes a file name and part of what we sign: nothing but base64url (RFC 8555 §8.3).
        guard let token = challenge.token, (1...256).contains(token.utf8.count), token.utf8.allSatisfy(isBase64URL) else {
            throw .challenge(name: name, .badToken)
        }
        do {
            let authorization = try keyAuthorization(token: token, signer: client.signer)
            let digest = try client.signer.sha256(Array(authorization.utf8))
            return (challenge, ChallengeAnswer(name: name, token: token, keyAuthorization: authorization, digest: digest))
        } catch { throw .signing(error) }
    }

    /// Every name that failed, with its own problem. Those that are still being looked at get a moment.
    private func reason(of order: Order, _ urls: [String]) async throws(ACMEError) -> ACMEError {
        let client = client
        var wait = Duration.milliseconds(50)
        while true {
            let authorizations = try await together(urls) { (url: String) async throws(ACMEError) in
                try await client.authorization(url)
            }
            let undecided = authorizations.contains { authorization in
                authorization.status == .pending && authorization.challenges.contains { $0.status == "processing" || $0.error != nil }
            }
            if undecided, wait < .seconds(4) {
                try await client.pause(wait, for: .validation)
                wait = wait * 2
                continue
            }
            let failed = authorizations.compactMap { authorization -> FailedName? in
                guard let problem = authorization.challenges.compactMap(\.error).first else { return nil }
                return FailedName(name: printable(authorization.identifier.value), problem: problem)
            }
            let sorted = names.flatMap { name in failed.filter { $0.name == name } }
            return failed.isEmpty ? .orderFailed(order.error) : .validation(sorted.count == failed.count ? sorted : failed)
        }
    }

    /// Finalizes and waits for the certificate.
    private func finalized(_ order: Order, url: String, request: [UInt8]) async throws(ACMEError) -> Order {
        let began = client.time.elapsed()
        let (answer, retryAfter) = try await client.finalize(order, at: url, request: request)
        guard answer.status == .processing || answer.status == .ready else { return answer }
        let exchange = client.time.elapsed() - began
        let first = retryAfter.map { Duration.seconds($0) } ?? max(.milliseconds(5), min(exchange / 4, .milliseconds(250)))
        return try await client.order(at: url, leaving: [.processing, .ready], first: first, step: .finalize)
    }

    private func signingRequest() async -> Result<[UInt8], ACMEError> {
        do { return .success(try makeRequest()) } catch { return .failure(.signing(error)) }
    }
}
