import CertificateStore
import Glibc
import ServerConfigs
import Settings
import Supervision
import Synchronization

extension Parts {
    /// Puts the certificate that is in place into use. false when there is none for these settings that can be used.
    func useStoredCertificate() async throws -> Bool {
        await takeOwnFiles()
        guard let stored = try? keeper.usable() else { return false }
        _ = try await keeper.deploy(stored, accounts: accounts)
        phase.value = .serving
        return true
    }

    /// The person's own files may have changed while we were not looking. When they cannot be used, what we have of them goes on serving.
    private func takeOwnFiles() async {
        guard case .files = settings.certificates, (try? keeper.usable()) != nil else { return }
        do {
            _ = try await keeper.obtain { _ in }
        } catch {
            await report(error)
        }
    }

    /// Gets the first certificate, however often it takes. What goes wrong is shown on the terminal, by `snikket status` and on the page.
    func obtainCertificate() async throws {
        var isFirst = true
        while true {
            try await waitForNextAttempt(isFirst: isFirst)
            isFirst = false
            systemd.status("getting a certificate")
            do throws(CertificateFailure) {
                let stored = try await keeper.obtain { [say] in say.certificate($0) }
                _ = try await keeper.deploy(stored, accounts: accounts)
                return
            } catch {
                try Task.checkCancellation()
                await report(error)
                showProblem(error)
            }
        }
    }

    /// Somebody who starts the program again has probably mended what was wrong: a few attempts are made at once. From then on
    /// the pauses count, and no restart shortens them, for the certificate authority counts failures too.
    private func waitForNextAttempt(isFirst: Bool) async throws {
        let pause = await keeper.endOfPause - Int(time(nil))
        guard pause > 0 else { return }
        if isFirst, await keeper.failuresInARow < 4 { return }
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
            // Looked at again now and then: a clock can be set, a machine can sleep. Soon, when a port serves another one.
            let longest = await keeper.isServed(by: endpoints) ? 6 * 3_600 : 60
            try await Task.sleep(for: .seconds(min(max(pause, 1), longest)))
            if await keeper.nextAttempt() <= time(nil) || ownFilesMayHaveChanged { try await renew() }
            await lookAtPorts()
        }
    }

    private func renew() async throws {
        do throws(CertificateFailure) {
            let stored = try await keeper.obtain { _ in }
            await load(try await keeper.deploy(stored, accounts: accounts), notAfter: stored.record.notAfter)
        } catch {
            try Task.checkCancellation()
            await report(error)
        }
    }

    private var ownFilesMayHaveChanged: Bool {
        if case .files = settings.certificates { true } else { false }
    }

    /// Makes servers read their new certificate.
    private func load(_ services: [Service], notAfter: Int) async {
        for service in services {
            switch await household.reload(service) {
            case nil: say.progress("\(service.rawValue) has a new certificate, until \(RFC3339.text(notAfter))")
            // It reads the new one when it starts again; or everything is about to stop.
            case .notRunning, .cancelled: break
            case .cannotReload, .notReady:
                say.problem(
                    .init(
                        error: "\(service.rawValue) does not serve after its reload", cause: nil, tryThis: "snikket logs \(service.rawValue)"))
            }
        }
    }

    /// The ports that serve the certificate.
    var endpoints: [Endpoint] {
        let address = settings.listenAddresses.first ?? "127.0.0.1"
        let (ports, domain) = (settings.ports, settings.domain)
        var endpoints = [
            Endpoint("https", address: address, port: ports.https, host: domain),
            Endpoint("xmpp_client", address: address, port: ports.xmppClient, host: domain, startTLS: "xmpp-client", stream: settings.chatHost),
        ]
        // Prosody 13.0 knows no internationalised name in a TLS hello: there, apps come in by STARTTLS.
        if settings.chatHost == domain {
            endpoints.append(Endpoint("xmpp_client_tls", address: address, port: ports.xmppClientTLS, host: domain))
        }
        if settings.federation {
            endpoints.append(
                Endpoint("xmpp_server", address: address, port: ports.xmppServer, host: domain, startTLS: "xmpp-server", stream: settings.chatHost))
        }
        if settings.turn.enabled { endpoints.append(Endpoint("turn_tls", address: address, port: ports.turnTLS, host: settings.turn.host)) }
        return endpoints
    }
}
