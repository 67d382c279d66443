import Lifecycle
import ServerConfigs
import Settings
import Supervision
import Synchronization

extension Parts {
    /// How everything is, now.
    func status() async -> StatusReport {
        let services = await household.snapshots().map(StatusReport.ServiceReport.init)
        let certificate = await keeper.report()
        let phase = standing.withLock { $0 }
        let isServed = await keeper.isServed(by: settings.endpoints)
        let isHealthy = phase == .running && isServed && !isBroken && services.allSatisfy { $0.state == "ready" }
        return StatusReport(
            healthy: isHealthy, phase: phase, services: services, certificate: certificate,
            disk: DiskSpace(of: locations.state).map { .init(freeBytes: $0.free, totalBytes: $0.total, path: locations.state) },
            problems: matters.all, telling: await messages.report,
            release: waitingRelease.withLock { $0.map { StatusReport.ReleaseReport(version: $0.version, security: $0.isSecurity, held: $0.isHeld) } },
            settingsChanged: currentSettings.isFileChanged, ports: settings.ports.byName(federation: settings.federation),
            domain: settings.domain, url: settings.webURL, version: Version.current, versions: await versions.all)
    }
}

extension Supervision.Timestamp {
    /// RFC 3339, as every other moment in the report.
    var wholeSeconds: String { RFC3339.text(Int(milliseconds / 1_000)) }
}

extension Ports {
    /// What listens where, for the status report.
    func byName(federation: Bool) -> [String: Int] {
        var ports = [
            "http": http, "https": https, "xmpp_client": xmppClient, "xmpp_client_tls": xmppClientTLS, "proxy65": proxy65, "turn": turn,
            "turn_tls": turnTLS, "internal_http": internalHTTP,
        ]
        if federation {
            ports["xmpp_server"] = xmppServer
            ports["xmpp_server_tls"] = xmppServerTLS
        }
        return ports
    }
}
