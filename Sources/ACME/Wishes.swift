/// What the certificate should be like, beyond its names.
public struct Wishes: Sendable {
    /// One of the CA's profiles (draft-ietf-acme-profiles).
    public var profile: String?
    /// The certificate that it takes the place of (RFC 9773 §5); see ``renewalIdentifier(authorityKey:serial:)``.
    public var replaces: String?
    /// Whether a chain, PEM, is the preferred one; nil for the CA's own choice.
    public var prefers: (@Sendable ([UInt8]) -> Bool)?

    public init(profile: String? = nil, replaces: String? = nil, prefers: (@Sendable ([UInt8]) -> Bool)? = nil) {
        self.profile = profile
        self.replaces = replaces
        self.prefers = prefers
    }

    /// The preferred chain where the CA has it, else its own choice: any good chain is better than none.
    func chain(of certificate: String, from client: Client) async throws(ACMEError) -> [UInt8] {
        let (chain, alternates) = try await client.certificate(certificate)
        guard let prefers, !prefers(chain) else { return chain }
        for url in alternates {
            let other = try await client.certificate(url).chain
            if prefers(other) { return other }
        }
        return chain
    }
}
