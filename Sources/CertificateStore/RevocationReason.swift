/// Why a certificate is revoked: what may be said of an end-entity certificate (RFC 5280 §5.3.1).
public enum RevocationReason: String, Sendable, CaseIterable, Codable {
    case unspecified
    case keyCompromise = "key-compromise"
    case affiliationChanged = "affiliation-changed"
    case superseded
    case cessationOfOperation = "cessation-of-operation"

    /// The reason code.
    public var code: Int {
        switch self {
        case .unspecified: 0
        case .keyCompromise: 1
        case .affiliationChanged: 3
        case .superseded: 4
        case .cessationOfOperation: 5
        }
    }
}
