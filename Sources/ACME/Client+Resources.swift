internal import FoundationEssentials

extension Client {
    /// Finds the account of this key, or makes it, agreeing to the CA's terms (RFC 8555 §7.3). Returns its URL.
    public func account(contact: String?) async throws(ACMEError) -> String {
        struct Request: Encodable {
            var contact: [String]?
            var termsOfServiceAgreed = true
        }
        let directory = try await directory()
        if directory.meta?.externalAccountRequired == true { throw .externalAccountRequired }
        let payload = try json(Request(contact: contact.map { ["mailto:\($0)"] }))
        do throws(ACMEError) {
            let response = try await post(directory.newAccount, payload: payload, step: .account, as: .key)
            guard let url = response.header("location") else {
                throw ACMEError.unexpected(url: directory.newAccount, status: response.status, what: .missing("location"))
            }
            accountURL = url
            return url
        } catch .problem(let problem, _, _, _) where problem.name == "externalAccountRequired" {
            throw .externalAccountRequired
        }
    }

    /// Orders a certificate (RFC 8555 §7.4). Returns the order and its URL.
    func newOrder(names: [String]) async throws(ACMEError) -> (order: Order, url: String) {
        struct Request: Encodable {
            var identifiers: [Identifier]
        }
        let url = try await directory().newOrder
        let payload = try json(Request(identifiers: names.map { Identifier(dns: $0) }))
        let response = try await post(url, payload: payload, step: .order)
        guard let location = response.header("location") else {
            throw .unexpected(url: url, status: response.status, what: .missing("location"))
        }
        return (try decode(Order.self, from: response, url: url), location)
    }

    /// An authorization and its challenges (RFC 8555 §7.5).
    func authorization(_ url: String) async throws(ACMEError) -> Authorization {
        let response = try await post(url, payload: [], step: .authorizations)
        return try decode(Authorization.self, from: response, url: url)
    }

    /// Tells the CA that the challenge is in place (RFC 8555 §7.5.1).
    func answer(_ challenge: Challenge) async throws(ACMEError) {
        _ = try await post(challenge.url, payload: Array("{}".utf8), step: .challenges)
    }

    /// Waits until the order has left these states.
    ///
    /// The first look comes after `first`, the next after pauses that grow from there to five seconds; a Retry-After is obeyed.
    func order(
        at url: String, leaving states: [Order.Status], first: Duration, step: Step
    ) async throws(ACMEError) -> Order {
        var wait = first
        var growing = first
        while true {
            try await pause(wait, for: step)
            let response = try await post(url, payload: [], step: step)
            let order = try decode(Order.self, from: response, url: url)
            guard states.contains(order.status) else { return order }
            growing = min(growing * 2, .seconds(5))
            wait = retryAfter(response.header("retry-after"), now: time.date()).map { max(growing, .seconds($0)) } ?? growing
        }
    }

    /// Asks for the certificate (RFC 8555 §7.4).
    func finalize(_ order: Order, request: [UInt8]) async throws(ACMEError) -> (order: Order, retryAfter: Int?) {
        struct Request: Encodable {
            var csr: String
        }
        let response = try await post(order.finalize, payload: try json(Request(csr: base64url(request))), step: .finalize)
        let order = try decode(Order.self, from: response, url: order.finalize)
        return (order, retryAfter(response.header("retry-after"), now: time.date()))
    }

    /// The certificate and its chain, PEM (RFC 8555 §7.4.2).
    func certificate(_ url: String) async throws(ACMEError) -> [UInt8] {
        try await post(url, payload: [], step: .certificate, accept: "application/pem-certificate-chain").body
    }

    /// An account that the CA does not know any more is forgotten: the next request makes one.
    func forgetAccount() { accountURL = nil }

    private func json(_ value: some Encodable) throws(ACMEError) -> [UInt8] {
        do { return try encoded(value) } catch { throw .signing(error) }
    }
}
