/// What is known of a certificate, without looking inside it.
public struct CertificateRecord: Sendable, Equatable, Codable {
    /// The DNS names it holds.
    public var names: [String]
    /// The issuer's name, for people.
    public var issuer: String
    /// Lower-case hexadecimal.
    public var serial: String
    /// Seconds since 1970.
    public var notBefore: Int
    /// Seconds since 1970.
    public var notAfter: Int
    /// Where it was had: the ACME directory, ``files`` or ``internal``; nil when that is not known.
    public var origin: String?

    /// The person's own files.
    public static let files = "files"
    /// The authority that is kept here.
    public static let `internal` = "internal"

    public init(names: [String], issuer: String, serial: String, notBefore: Int, notAfter: Int) {
        self.names = names
        self.issuer = issuer
        self.serial = serial
        self.notBefore = notBefore
        self.notAfter = notAfter
    }
}

extension CertificateRecord {
    /// The same, and where it was had.
    public func had(from origin: String) -> CertificateRecord {
        var record = self
        record.origin = origin
        return record
    }

    /// Whether every one of the names is held; `*.example.org` holds `a.example.org` (RFC 6125 §6.4.3).
    public func covers(_ wanted: [String]) -> Bool {
        wanted.allSatisfy { name in
            if names.contains(name) { return true }
            guard let dot = name.firstIndex(of: ".") else { return false }
            return names.contains("*" + name[dot...])
        }
    }

    /// When to renew, in seconds since 1970: at two thirds of the life, at half of a life shorter than ten days.
    ///
    /// - Parameter spread: 0 for exactly then; up to 1 for as much as a twentieth of the life earlier, so that not
    ///   every machine asks at the same moment.
    public func renewalTime(spread: Double = 0) -> Int {
        let life = notAfter - notBefore
        let share = life < 10 * 86400 ? 1.0 / 2 : 2.0 / 3
        return notBefore + Int(Double(life) * (share - min(max(spread, 0), 1) / 20))
    }
}

extension CertificateRecord {
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        names = try values.decode([String].self, forKey: .names)
        issuer = try values.decode(String.self, forKey: .issuer)
        serial = try values.decode(String.self, forKey: .serial)
        notBefore = try values.decodeDate(.notBefore)
        notAfter = try values.decodeDate(.notAfter)
        origin = try values.decodeIfPresent(String.self, forKey: .origin)
    }
}

extension KeyedDecodingContainer {
    /// Seconds since 1970 in the years 0 to 9999: no certificate can tell others (RFC 5280 §4.1.2.5), and with any number at all the difference of
    /// two could be beyond the type.
    func decodeDate(_ key: Key) throws -> Int {
        let seconds = try decode(Int.self, forKey: key)
        guard (-62_167_219_200...253_402_300_799).contains(seconds) else {
            throw DecodingError.dataCorruptedError(forKey: key, in: self, debugDescription: "a date outside of the calendar")
        }
        return seconds
    }
    /// As ``decodeDate(_:)``; nil when there is none.
    func decodeDateIfPresent(_ key: Key) throws -> Int? {
        guard try contains(key) && !decodeNil(forKey: key) else { return nil }
        return try decodeDate(key)
    }

    /// How often something has happened: at most as often as anything can.
    func decodeCount(_ key: Key) throws -> Int { min(max(try decode(Int.self, forKey: key), 0), 1_000_000) }
}
