import Settings
import Supervision
import Synchronization

extension Parts {
    /// Refuses to start when another program has one of our ports, or when we may not have it: the servers' own words for that are unclear.
    func checkPorts() async throws(ApplianceError) {
        let ports = settings.ports
        var wanted: [(name: String, port: WantedPort)] = []
        let public_: [String?] = settings.listenAddresses.isEmpty ? [nil] : settings.listenAddresses.map { $0 }
        for address in settings.webAddresses.isEmpty ? [nil] : settings.webAddresses.map({ $0 }) {
            wanted.append(("HTTP", WantedPort(.tcp, ports.http, address: address)))
            if settings.webTLS { wanted.append(("HTTPS", WantedPort(.tcp, ports.https, address: address))) }
        }
        for address in public_ {
            wanted += [
                ("XMPP for apps", WantedPort(.tcp, ports.xmppClient, address: address)),
                ("XMPP for apps, TLS", WantedPort(.tcp, ports.xmppClientTLS, address: address)),
                ("file transfer", WantedPort(.tcp, ports.proxy65, address: address)),
            ]
            if settings.federation {
                wanted += [
                    ("XMPP for servers", WantedPort(.tcp, ports.xmppServer, address: address)),
                    ("XMPP for servers, TLS", WantedPort(.tcp, ports.xmppServerTLS, address: address)),
                ]
            }
            if settings.turn.enabled {
                wanted += [
                    ("TURN", WantedPort(.udp, ports.turn, address: address)), ("TURN", WantedPort(.tcp, ports.turn, address: address)),
                    ("TURN, TLS", WantedPort(.tcp, ports.turnTLS, address: address)),
                ]
            }
        }
        wanted += settings.innerPorts.map { ($0.port == ports.internalHTTP ? "internal HTTP" : "XMPP from the HTTPS port", $0) }
        if let metrics = settings.metricsListen { wanted.append(("metrics", WantedPort(.tcp, metrics.port, address: metrics.address))) }
        if let port = PortCheck.forbidden(of: wanted.map(\.port)) {
            throw .portForbidden(port: port.port, name: wanted.first { $0.port == port }?.name ?? "")
        }
        var conflicts = PortCheck.conflicts(with: wanted.map(\.port))
        // The servers of a predecessor that was killed are told to end by the kernel; nginx in the middle of a reload takes a second for it.
        for _ in 0..<30 where !conflicts.isEmpty {
            try? await Task.sleep(for: .milliseconds(100))
            conflicts = PortCheck.conflicts(with: wanted.map(\.port))
        }
        let http = conflicts.filter { $0.wanted.port == ports.http && $0.wanted.transport == .tcp }
        if !http.isEmpty, !settings.needsHTTPPort {
            hasHTTPPort.withLock { $0 = false }
            say.progress("port \(ports.http) is another program's: http:// does not lead to the portal, and nothing else is missing")
        }
        guard let conflict = conflicts.first(where: { settings.needsHTTPPort || !http.contains($0) }) else { return }
        let owner = conflict.process.map { name in conflict.pid.map { "\(name) (process \($0))" } ?? name }
        throw .portTaken(
            port: conflict.wanted.port, name: wanted.first { $0.port == conflict.wanted }?.name ?? "", owner: owner)
    }

    /// The line that scripts wait for.
    func announceReady() {
        standing.withLock { $0 = .running }
        pageNews.ring()
        systemd.ready()
        statusNews.ring()
        say.result("ready \(settings.webURL)/")
    }

    /// While nobody administers the service, the link that makes somebody the administrator is printed at each start.
    func inviteFirstAdmin() async {
        await say.firstInvitation(to: chat, explaining: currentSettings.source)
    }
}
