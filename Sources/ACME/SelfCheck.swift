internal import DNS

/// Looks at an answer the way the CA will, before the CA is asked: a validation that fails at the CA counts against its limits.
public protocol SelfCheck: Sendable {
    func check(_ answer: ChallengeAnswer) async -> SelfCheckVerdict
}

/// What a self-check found.
public enum SelfCheckVerdict: Sendable, Equatable {
    /// The answer is where the CA will look.
    case found
    /// It cannot be told from here: no resolver answers, or no route leads there. The CA is asked.
    case unknown
    /// The CA would not find it.
    case fault(SelfCheckFault)
}

/// Why the CA would not find an answer.
public enum SelfCheckFault: Error, Sendable, Equatable {
    /// The name has no address in DNS.
    case noAddress
    /// Nobody answers at this address and port.
    case unreachable(address: String, port: Int, TransportError)
    /// Somebody answers, but with something else; what it begins with, without control characters.
    case wrongAnswer(address: String, port: Int, status: Int, beginning: String)

    /// Somebody answers, but not with TLS that speaks `acme-tls/1` (RFC 8737 §3); in OpenSSL's words, or nil when the connection was closed.
    case noChallengeProtocol(address: String, port: Int, reason: String?)
    /// The certificate shown does not hold the answer (RFC 8737 §3); the names that it holds.
    case wrongCertificate(address: String, port: Int, names: [String])
    /// Some of the DNS servers in charge do not have the TXT record: what each says; seconds that were waited for them.
    case wrongRecord(record: String, servers: [DNSServerAnswer], seconds: Int)

    /// A wrong answer; what comes from a stranger is shortened and made printable.
    public static func wrongAnswer(from address: String, port: Int, status: Int, body: [UInt8]) -> SelfCheckFault {
        .wrongAnswer(
            address: address, port: port, status: status,
            beginning: String(printable(String(decoding: body.prefix(200), as: UTF8.self)).prefix(60)))
    }
}

/// A name whose answer the CA would not find.
public struct FailedCheck: Sendable, Equatable {
    public var name: String
    public var fault: SelfCheckFault
    public init(name: String, fault: SelfCheckFault) {
        self.name = name
        self.fault = fault
    }
}

extension SelfCheck {
    /// Looks at all answers at once; throws all that the CA would not find, in their order.
    func check(all answers: [ChallengeAnswer]) async throws(ACMEError) {
        let found = try await together(answers) { (answer: ChallengeAnswer) async throws(ACMEError) in
            (answer.name, await self.check(answer))
        }
        let failed = found.compactMap { name, verdict -> FailedCheck? in
            guard case .fault(let fault) = verdict else { return nil }
            return FailedCheck(name: name, fault: fault)
        }
        guard failed.isEmpty else { throw .selfCheck(failed) }
    }
}
