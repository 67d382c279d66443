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
    public init(names: [String], issuer: String, serial: String, notBefore: Int, notAfter: Int) {
        self.names = names
        self.issuer = issuer
        self.serial = serial
        self.notBefore = notBefore
        self.notAfter = notAfter
    }
}
