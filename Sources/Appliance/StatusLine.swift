import Settings
import Supervision

/// The line that `systemctl status` shows: what goes on now, and what is wrong as long as it is.
enum StatusLine {
    /// - Parameters:
    ///   - phase: where `snikket up` is in its story.
    ///   - step: what it does before everything serves.
    ///   - services: how each server is.
    ///   - problems: what is wrong with the machine, or the appliance as a whole.
    ///   - certificateProblem: why the last attempt to get a certificate failed; nil when it did not.
    static func text(
        domain: String, phase: StatusReport.Phase, step: String, isReloading: Bool, services: [ServiceSnapshot],
        problems: [String] = [], certificateProblem: String?
    ) -> String {
        switch phase {
        case .stopping: return "stopping"
        case .starting:
            // One that starts is no news then; one that fails is what everything waits for.
            let failing = services.filter { $0.lastProblem != nil }.compactMap(trouble)
            return ([step] + failing).joined(separator: "; ")
        case .running:
            if isReloading { return "reading the settings again" }
            let troubles = services.compactMap(trouble)
            let certificate = certificateProblem.map { "the certificate could not be renewed: \($0)" }
            return ((troubles.isEmpty ? ["serving \(domain)"] : troubles) + problems + [certificate].compactMap { $0 }).joined(separator: "; ")
        }
    }

    private static func trouble(_ service: ServiceSnapshot) -> String? {
        let reason = service.lastProblem.map { ": \($0)" } ?? ""
        return switch service.state {
        case .ready, .reloading, .stopped: nil
        case .unhealthy: "\(service.name) does not answer\(reason)"
        case .failed: "\(service.name) keeps failing\(reason)"
        case .starting, .stopping, .backingOff: "\(service.name) is being started again\(reason)"
        }
    }
}
