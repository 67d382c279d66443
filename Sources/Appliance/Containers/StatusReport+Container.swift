import Settings
import Supervision

extension StatusReport {
    /// What is wrong with settings that a container does not take over.
    public static let settings = "settings"

    /// How one container is.
    init(
        healthy: Bool, phase: Phase, services: [ServiceReport], certificate: CertificateReport? = nil, in current: CurrentSettings,
        of locations: Locations
    ) {
        let settings = current.value
        self.init(
            healthy: healthy, phase: phase, services: services, certificate: certificate,
            disk: DiskSpace(of: locations.state).map { .init(freeBytes: $0.free, totalBytes: $0.total, path: locations.state) },
            settingsChanged: current.isFileChanged, ports: settings.ports.byName(federation: settings.federation), domain: settings.domain,
            url: settings.webURL, version: Version.current)
    }
}

extension StatusReport.ServiceReport {
    init(_ snapshot: ServiceSnapshot) {
        self.init(
            name: snapshot.name, state: snapshot.state.name, pid: snapshot.pid, since: snapshot.since.wholeSeconds, restarts: snapshot.restarts,
            memoryBytes: snapshot.memoryBytes, lastProblem: snapshot.lastProblem.map { "\($0)" },
            lastProblemAt: snapshot.lastProblemAt?.wholeSeconds)
    }
}
