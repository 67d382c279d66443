internal import FoundationEssentials

extension Client {
    /// Orders a certificate (RFC 8555 §7.4). Returns the order and its URL.
    ///
    /// A CA that does not accept what it is said to replace is asked again without that: else a renewal would be stuck.
    func newOrder(names: [String], profile: String?, replaces: String?) async throws(ACMEError) -> (order: Order, url: String) {
        let directory = try await directory()
        if let profile, directory.meta?.profiles?[profile] == nil {
            throw .unknownProfile(profile, offered: (directory.meta?.profiles ?? [:]).keys.map(printable).sorted())
        }
        // Only CAs with renewal information know `replaces` (RFC 9773 §5).
        guard let replaces, directory.renewalInfo != nil else { return try await newOrder(names, profile, nil) }
        do throws(ACMEError) {
            return try await newOrder(names, profile, replaces)
        } catch .problem(let problem, let status, _, _)
            where status < 500 && status != 429 && ["alreadyReplaced", "malformed", "unauthorized"].contains(problem.name)
        {
            return try await newOrder(names, profile, nil)
        }
    }

    private func newOrder(_ names: [String], _ profile: String?, _ replaces: String?) async throws(ACMEError) -> (order: Order, url: String) {
        struct Request: Encodable {
            var identifiers: [Identifier]
            var profile: String?
            var replaces: String?
        }
        let url = try await directory().newOrder
        let payload = try json(Request(identifiers: names.map { Identifier(dns: $0) }, profile: profile, replaces: replaces))
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
}
