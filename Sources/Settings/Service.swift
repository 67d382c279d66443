/// The servers that make up the appliance.
public enum Service: String, Sendable, CaseIterable, Codable {
    case prosody, coturn, portal, nginx
}
