import Glibc
import LocalHTTP
public import Settings

/// Asks a running `snikket up`.
public struct ControlClient: Sendable {
    private let socket: String

    public init(_ locations: Locations) { socket = locations.controlSocket }

    /// How the appliance is.
    /// - Throws: ``ApplianceError/notRunning(socket:)`` when nothing answers.
    public func status() async throws(ApplianceError) -> StatusReport {
        let client = LocalHTTPClient(target: .unix(path: socket), hostHeader: "snikket")
        do {
            let response = try await client.send(.init(path: "/status"), deadline: .seconds(5))
            return try StatusReport(json: response.body)
        } catch {
            switch error as? LocalHTTPError {
            case .refused: throw .notRunning(socket: socket)
            case .system(errno: EACCES): throw .notPermitted(socket: socket)
            default: throw .noAnswer(socket: socket)
            }
        }
    }
}
