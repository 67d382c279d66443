public import Settings

/// What one container does: a server, or the certificates.
public enum Role: Sendable, Equatable {
    case server(Service)
    case certificates

    /// Every role, those that need nobody first.
    public static let all: [Role] = [.server(.portal), .server(.nginx), .certificates, .server(.prosody), .server(.coturn)]

    /// As in the status report and in compose.yaml.
    public var name: String {
        switch self {
        case .server(let service): service.rawValue
        case .certificates: StatusReport.certificates
        }
    }

    /// The role of this name.
    public init?(name: String) {
        guard let role = Self.all.first(where: { $0.name == name }) else { return nil }
        self = role
    }
}
