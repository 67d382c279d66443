internal import FoundationEssentials

/// What `snikket-certs` prints on standard output: one JSON object a line, and what `snikket up` reads.
public enum CertificateEvent: Sendable, Equatable {
    /// A step begins; `name` when it is about one name.
    case progress(step: String, name: String?)
    /// A certificate is in place.
    case issued(record: CertificateRecord, fullChain: String, privateKey: String)
    /// It ended without one.
    case failed(CertificateFailure)
    /// What a TLS endpoint serves; `refusal` says why a client would not trust it, nil when it would.
    case probed(record: CertificateRecord, refusal: String?)
    /// Files were looked at and are good.
    case inspected(record: CertificateRecord)
}

/// A failure of the certificate program: in three parts for people, and a kind for programs.
public struct CertificateFailure: Error, Sendable, Equatable, Codable {
    /// What to tell apart.
    public enum Kind: String, Sendable, Codable, CaseIterable {
        /// The CA could not be reached, or answers nonsense.
        case unreachable
        /// The CA is there, but has trouble of its own.
        case caDown
        /// Too many requests; see `retryAfter`.
        case rateLimited
        /// The CA looked for the challenge and did not find it.
        case validation
        /// The CA refuses for another reason.
        case refused
        /// The CA needs an account arranged beforehand (external account binding).
        case externalAccount
        /// The folder for challenges cannot be written.
        case webroot
        /// The port for challenges cannot be listened on.
        case listen
        /// A certificate or key must not be used: wrong key, names, dates or chain.
        case badCertificate
        /// A file or option of the person's is wrong.
        case configuration
        /// Another process is at it.
        case busy
        /// The disk, the memory, or a fault of ours.
        case local
    }
    public var kind: Kind
    /// What could not be done. Lower case, no full stop.
    public var error: String
    /// Why.
    public var cause: String?
    /// What to do.
    public var `try`: String?
    /// Seconds until it makes sense to come back, when the CA said so.
    public var retryAfter: Int?

    public init(kind: Kind, error: String, cause: String? = nil, try: String? = nil, retryAfter: Int? = nil) {
        self.kind = kind
        self.error = error
        self.cause = cause
        self.try = `try`
        self.retryAfter = retryAfter
    }
}

extension CertificateEvent {
    /// The event of a line; nil when it is none, which a reader passes over.
    public init?(line: some StringProtocol) {
        guard let event = try? JSONDecoder().decode(Self.self, from: Data(line.utf8)) else { return nil }
        self = event
    }

    /// The event as one line, without its end.
    public var line: String {
        guard let bytes = try? encoded(self) else { return "{}" }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension CertificateEvent: Codable {
    private enum Key: String, CodingKey {
        case event, step, name, record, fullchain, privkey, failure, refusal
    }

    private enum Kind: String, Codable { case progress, issued, failed, probed, inspected }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        switch try values.decode(Kind.self, forKey: .event) {
        case .progress:
            self = .progress(step: try values.decode(String.self, forKey: .step), name: try values.decodeIfPresent(String.self, forKey: .name))
        case .issued:
            self = .issued(
                record: try values.decode(CertificateRecord.self, forKey: .record),
                fullChain: try values.decode(String.self, forKey: .fullchain),
                privateKey: try values.decode(String.self, forKey: .privkey))
        case .failed: self = .failed(try CertificateFailure(from: decoder))
        case .probed:
            self = .probed(
                record: try values.decode(CertificateRecord.self, forKey: .record),
                refusal: try values.decodeIfPresent(String.self, forKey: .refusal))
        case .inspected: self = .inspected(record: try values.decode(CertificateRecord.self, forKey: .record))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        switch self {
        case .progress(let step, let name):
            try values.encode(Kind.progress, forKey: .event)
            try values.encode(step, forKey: .step)
            try values.encodeIfPresent(name, forKey: .name)
        case .issued(let record, let fullChain, let privateKey):
            try values.encode(Kind.issued, forKey: .event)
            try values.encode(record, forKey: .record)
            try values.encode(fullChain, forKey: .fullchain)
            try values.encode(privateKey, forKey: .privkey)
        case .failed(let failure):
            try values.encode(Kind.failed, forKey: .event)
            try failure.encode(to: encoder)
        case .probed(let record, let refusal):
            try values.encode(Kind.probed, forKey: .event)
            try values.encode(record, forKey: .record)
            try values.encodeIfPresent(refusal, forKey: .refusal)
        case .inspected(let record):
            try values.encode(Kind.inspected, forKey: .event)
            try values.encode(record, forKey: .record)
        }
    }
}
