internal import DNS
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
            where isAboutReplacement(problem, status)
        {
            return try await newOrder(names, profile, nil)
        }
    }

    /// Whether an order is refused for what it says that it replaces: `alreadyReplaced` (RFC 9773 §7.4), a conflict in the drafts before it, and what
    /// CAs say of another CA's or another account's certificate. One that breaks over it each time (Pebble does, now and then) may do without it.
    private func isAboutReplacement(_ problem: Problem, _ status: Int) -> Bool {
        guard status != 429 else { return false }
        return switch problem.name {
        case "alreadyReplaced", "conflict", "malformed", "unauthorized": status < 500
        case "serverInternal": status == 500
        case nil: status == 409
        default: false
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
        return try await post(url, payload: payload, step: .order) { (response) throws(ACMEError) in
            guard let location = response.header("location") else {
                throw .unexpected(url: url, status: response.status, what: .missing("location"))
            }
            return (try self.decode(Order.self, from: response, url: url), location)
        }
    }

    /// An authorization and its challenges (RFC 8555 §7.5).
    func authorization(_ url: String) async throws(ACMEError) -> Authorization {
        try await post(url, payload: [], step: .authorizations) { (response) throws(ACMEError) in
            try self.decode(Authorization.self, from: response, url: url)
        }
    }

    /// Tells the CA that the challenge is in place (RFC 8555 §7.5.1).
    func answer(_ challenge: Challenge) async throws(ACMEError) {
        let read: @Sendable (HTTPResponse) throws(ACMEError) -> Challenge = { (response) throws(ACMEError) in
            try self.decode(Challenge.self, from: response, url: challenge.url)
        }
        do throws(ACMEError) {
            _ = try await post(challenge.url, payload: Array("{}".utf8), step: .challenges, reading: read)
        } catch .problem(let problem, let status, let url, let after) where (400..<500).contains(status) && status != 429 {
            // It may have heard us before, and its answer been lost: then the challenge is not pending any more.
            let now = try await post(challenge.url, payload: [], step: .challenges, reading: read)
            guard let state = now.status, state != "pending" else {
                throw .problem(problem, status: status, url: url, retryAfter: after)
            }
        }
    }

    /// Waits until the order has left these states.
    ///
    /// The first look comes after `first`, the next after pauses that grow from there to five seconds; a Retry-After is obeyed.
    func order(
        at url: String, leaving states: [Order.Status], first: Duration, step: Step
    ) async throws(ACMEError) -> Order {
        var wait = first
        var growing = first
        var told: Int?
        while true {
            try await pause(wait, for: step, told: told)
            let (order, after) = try await post(url, payload: [], step: step) { (response) throws(ACMEError) in
                (try self.decode(Order.self, from: response, url: url), retryAfter(response.header("retry-after"), now: self.time.date()))
            }
            guard states.contains(order.status) else { return order }
            growing = min(growing * 2, .seconds(5))
            told = after
            wait = after.map { max(growing, .seconds($0)) } ?? growing
        }
    }

    /// Asks for the certificate (RFC 8555 §7.4).
    ///
    /// - Parameter url: the order's own.
    func finalize(_ order: Order, at url: String, request: [UInt8]) async throws(ACMEError) -> (order: Order, retryAfter: Int?) {
        struct Request: Encodable {
            var csr: String
        }
        let read: @Sendable (HTTPResponse) throws(ACMEError) -> (order: Order, retryAfter: Int?) = { (response) throws(ACMEError) in
            (try self.decode(Order.self, from: response, url: order.finalize), retryAfter(response.header("retry-after"), now: self.time.date()))
        }
        do throws(ACMEError) {
            return try await post(order.finalize, payload: try json(Request(csr: base64url(request))), step: .finalize, reading: read)
        } catch .problem(let problem, let status, let page, let after) where (400..<500).contains(status) && status != 429 {
            // It may have heard us before, and its answer been lost: then the order is further on.
            let now = try await post(url, payload: [], step: .finalize, reading: read)
            guard now.order.status == .processing || now.order.status == .valid else {
                throw .problem(problem, status: status, url: page, retryAfter: after)
            }
            return now
        }
    }
}
