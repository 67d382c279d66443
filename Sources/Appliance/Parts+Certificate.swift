import CertificateStore
import Glibc
import ServerConfigs
import Settings
import Supervision
import Synchronization

extension Parts {
    /// Puts the certificate that is in place into use. false when there is none for these settings.
    func useStoredCertificate() async throws -> Bool {
        // The person's own files may have changed while we were not looking.
        if case .files = settings.certificates { return false }
        guard let stored = try keeper.usable() else { return false }
        _ = try await keeper.deploy(stored, accounts: accounts)
        phase.withLock { $0 = .serving }
        return true
    }

    /// Gets the first certificate, however often it takes. What goes wrong is shown on the terminal, by `snikket status` and on the page.
    func obtainCertificate() async throws {
        var isFirst = true
        while true {
            try await waitForNextAttempt(isFirst: isFirst)
            isFirst = false
            systemd.status("getting a certificate")
            do {
                let stored = try await keeper.obtain { [say] in say.certificate($0) }
                _ = try await keeper.deploy(stored, accounts: accounts)
                return
            } catch let failure as CertificateFailure {
                try Task.checkCancellation()
                await report(failure)
                showProblem(failure)
            }
        }
    }

    /// Somebody who starts the program again has probably mended what was wrong: a few attempts are made at once. From then on
    /// the pauses count, and no restart shortens them, for the certificate authority counts failures too.
    private func waitForNextAttempt(isFirst: Bool) async throws {
        let pause = await keeper.nextAttempt() - Int(time(nil))
        guard pause > 0, !(isFirst && keeper.failuresInARow < 4) else { return }
        try await Task.sleep(for: .seconds(pause))
    }

    private func report(_ failure: CertificateFailure) async {
        say.problem(.init(error: failure.error, cause: failure.cause, tryThis: failure.try))
        say.progress("the next attempt is at \(RFC3339.text(await keeper.nextAttempt()))")
        systemd.status("no certificate: \(failure.error)")
    }

    /// Looks at which certificate each port really serves.
    func lookAtPorts() async { await keeper.look(at: endpoints) }

    /// Renews when the time has come. Never returns by itself.
    func keepCertificate() async throws {
        while true {
            let pause = await keeper.nextAttempt() - Int(time(nil))
            // Looked at again now and then: a clock can be set, a machine can sleep.
            try await Task.sleep(for: .seconds(min(max(pause, 1), 6 * 3_600)))
            await lookAtPorts()
            guard await keeper.nextAttempt() <= time(nil) || ownFilesMayHaveChanged else { continue }
            do {
                let stored = try await keeper.obtain { _ in }
                try await load(stored)
                await lookAtPorts()
            } catch let failure as CertificateFailure {
                try Task.checkCancellation()
                await report(failure)
            }
        }
    }

    private var ownFilesMayHaveChanged: Bool {
        if case .files = settings.certificates { true } else { false }
    }

    /// A new certificate, into every server that has another one.
    private func load(_ stored: CertificateStore.Stored) async throws {
        for service in try await keeper.deploy(stored, accounts: accounts) {
            guard let error = await household.reload(service) else {
                say.progress("\(service.rawValue) has a new certificate, until \(RFC3339.text(stored.record.notAfter))")
                continue
            }
            switch error {
            // It reads the new one when it starts again.
            case .notRunning: break
            case .cancelled: throw CancellationError()
            case .cannotReload, .notReady:
                say.problem(.init(error: "\(service.rawValue) does not serve after its reload", cause: "\(error)", tryThis: "snikket logs \(service.rawValue)"))
            }
        }
    }

    /// The ports that serve the certificate.
    private var endpoints: [Endpoint] {
        let address = settings.listenAddresses.first ?? "127.0.0.1"
        let (ports, domain) = (settings.ports, settings.domain)
        var endpoints = [
            Endpoint("https", address: address, port: ports.https, host: domain),
            Endpoint("xmpp_client", address: address, port: ports.xmppClient, host: domain, startTLS: "xmpp-client"),
            Endpoint("xmpp_client_tls", address: address, port: ports.xmppClientTLS, host: domain),
        ]
        if settings.federation {
            endpoints.append(Endpoint("xmpp_server", address: address, port: ports.xmppServer, host: domain, startTLS: "xmpp-server"))
        }
        if settings.turn.enabled { endpoints.append(Endpoint("turn_tls", address: address, port: ports.turnTLS, host: settings.turn.host)) }
        return endpoints
    }
}
