/// When a certificate is to be renewed: at a moment that is chosen by chance once, and then kept (RFC 9773 §4.2).
public struct RenewalPlan: Sendable, Equatable, Codable {
    /// The certificate's serial, lower-case hexadecimal.
    public var serial: String
    /// From 0 to 1: not every machine asks at the same moment.
    public var spread: Double
    /// What the CA said last; nil when it did not.
    public var window: RenewalWindow?
    /// When to ask the CA again, in seconds since 1970.
    public var nextLook: Int

    public init(serial: String, spread: Double = .random(in: 0...1), window: RenewalWindow? = nil, nextLook: Int = 0) {
        self.serial = serial
        self.spread = spread
        self.window = window
        self.nextLook = nextLook
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        serial = try values.decode(String.self, forKey: .serial)
        spread = try values.decode(Double.self, forKey: .spread)
        window = try values.decodeIfPresent(RenewalWindow.self, forKey: .window)
        nextLook = try values.decodeDate(.nextLook)
    }

    /// When to renew, in seconds since 1970: in the CA's window, else by the certificate's own life. A CA that wants it later than at
    /// nine tenths of the life is not followed: then nothing would be left for a second attempt.
    public func time(of record: CertificateRecord) -> Int {
        guard let window else { return record.renewalTime(spread: spread) }
        let latest = record.notAfter - (record.notAfter - record.notBefore) / 10
        return min(window.time(spread: spread), latest)
    }

    /// After the CA has said when.
    public mutating func heard(_ window: RenewalWindow, now: Int) {
        self.window = window
        nextLook = window.nextLook(now: now)
    }

    /// After the CA could not be asked, or does not tell: what it said before holds. Temporary trouble is no reason to ask more often
    /// than every six hours (RFC 9773 §4.3.3).
    public mutating func heardNothing(_ failure: CertificateFailure, now: Int) {
        nextLook = now + max(21_600, min(failure.retryAfter ?? 0, 86_400))
    }
}
