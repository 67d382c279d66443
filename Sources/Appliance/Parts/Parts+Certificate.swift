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
        try await keeper.deploy(stored, accounts: accounts)
        phase.value = .serving
        return true
    }

    /// The person's own files may have changed while we were not looking. When they cannot be used, what we have of them goes on serving.
    private func takeOwnFiles() async {
        guard settings.certificates.isOwn, (try? keeper.usable()) != nil else { return }
        do {
            try await keeper.work.during { () async throws(CertificateFailure) in _ = try await keeper.obtain { _ in } }
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
            // One that had ended by a clock that was ahead is good again.
            if let stored = try? keeper.usable() {
                try await keeper.deploy(stored, accounts: accounts)
                return
            }
            begin("getting a certificate")
            do throws(CertificateFailure) {
                try await keeper.work.during { () async throws(CertificateFailure) in
                    let stored = try await keeper.obtain { [say, pageNews] in
                        say.certificate($0)
                        pageNews.ring()
                    }
                    try await keeper.deploy(stored, accounts: accounts)
                }
                return
            } catch {
                try Task.checkCancellation()
                pageNews.ring()
                await report(error)
            }
        }
    }

    /// Somebody who starts the program again has probably mended what was wrong: a few attempts are made at once. From then on
    /// the pauses count, and no restart shortens them, for the certificate authority counts failures too.
    private func waitForNextAttempt(isFirst: Bool) async throws {
        if isFirst, await keeper.permitsImpatience { return }
        while true {
            let pause = await keeper.endOfPause - Int(time(nil))
            guard pause > 0 else { return }
            // The clock may be set meanwhile.
            guard try await wishes.wait(atMost: .seconds(min(pause, 60))) == nil else { return }
        }
    }

    private func report(_ failure: CertificateFailure) async {
        say.problem(.init(failure))
        let isHad = await keeper.lastFailure == nil
        say.progress(isHad ? "it is tried again within a minute" : "the next attempt is at \(RFC3339.text(await keeper.nextAttempt()))")
        begin("no certificate: \(failure.error)")
    }

    /// Renews when the time has come, or somebody wishes it. Never returns by itself.
    func keepCertificate() async throws {
        while true {
            await warnAdministrators()
            statusNews.ring()
            let pause = await keeper.nextStep() - Int(time(nil))
            // Looked at again now and then: a clock can be set, a machine can sleep. Soon, when there is something to deliver.
            let wish = try await wishes.wait(atMost: .seconds(min(max(pause, 1), messages.areDelivered ? 600 : 60)))
            await keeper.lookAtRenewalWindow()
            switch wish {
            case .renew: await renew()
            case .revoke(let reason, let isForced): await revoke(reason, isForced: isForced)
            case nil where await keeper.nextAttempt() <= time(nil) || settings.certificates.isOwn: await renew()
            case nil: break
            }
            try Task.checkCancellation()
        }
    }

    private func renew() async {
        let before = (try? keeper.usable())?.record.serial
        do throws(CertificateFailure) {
            try await keeper.work.during { () async throws(CertificateFailure) in try await replace() }
        } catch {
            if !Task.isCancelled { await report(error) }
        }
        // A wish to revoke is about the certificate that is in use: this is another one.
        if (try? keeper.usable())?.record.serial != before { await keeper.remember(toRevoke: nil) }
    }

    /// A revoked certificate is not to be served: first there has to be another one, with another key.
    private func revoke(_ reason: RevocationReason, isForced: Bool) async {
        do throws(CertificateFailure) {
            try await keeper.work.during { () async throws(CertificateFailure) in
                guard let current = try? keeper.usable() else {
                    throw CertificateFailure(kind: .configuration, error: "there is no certificate to revoke")
                }
                // Another one may have been had the last time, and not every server been given it: then it is the one before that is to be revoked.
                let waiting = await keeper.toRevoke(besides: current)
                let old = waiting ?? current
                await keeper.remember(toRevoke: old)
                do throws(CertificateFailure) {
                    if waiting == nil { try await replace() } else { try await use(current) }
                } catch {
                    guard isForced else { throw error }
                    await report(error)
                }
                keeper.work.note(.progress(step: "revocation", name: nil))
                try await keeper.revoke(old, reason: reason)
                await keeper.remember(toRevoke: nil)
                say.progress("the certificate \(old.record.serial) is revoked")
            }
        } catch {
            if !Task.isCancelled { await report(error) }
        }
    }

    /// A new certificate, in use.
    private func replace() async throws(CertificateFailure) {
        try await use(try await keeper.obtain { _ in })
    }

    private func use(_ stored: CertificateStore.Stored) async throws(CertificateFailure) {
        try await give(stored)
        await lookUntilServed()
        await restartStaleServers()
    }

    /// Gives the servers their copies of a certificate, and has those read it that have another one than before. What cannot be written now is tried
    /// again whenever a server is seen to serve another one.
    ///
    /// - Returns: whether any server has another one than before.
    @discardableResult
    private func give(_ stored: CertificateStore.Stored) async throws(CertificateFailure) -> Bool {
        let (changed, failure) = await keeper.handOut(stored, accounts: accounts)
        await load(changed, notAfter: stored.record.notAfter)
        guard let failure else {
            if let attempt = withoutCopies.withLock({ $0.take() }) { keeper.work.isMended(attempt) }
            matters.close(Self.copies)
            return !changed.isEmpty
        }
        let problem = StatusReport.ProblemReport(failure)
        withoutCopies.withLock { $0 = $0 ?? (keeper.work.expected.isUnderWay ? keeper.work.expected.number : nil) }
        matters.open(Self.copies, problem)
        await messages.tell(
            Self.copies, level: 1,
            """
            \(settings.domain) has a new certificate, and not every server could be given it. When the old one ends, no app will connect any more.
            What is wrong: \([problem.error, problem.cause].compactMap { $0 }.joined(separator: ": ")).
            What to do: mend that on the server; it is tried again within a minute.
            """)
        throw failure
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

    /// A server has loaded its files a moment after it was told to: that moment is waited for, up to ten seconds.
    private func lookUntilServed() async {
        for _ in 0..<20 {
            await lookAtPorts()
            guard await !keeper.stale(among: settings.endpoints).isEmpty else { return }
            guard (try? await Task.sleep(for: .milliseconds(500))) != nil else { return }
        }
    }

    /// A server that serves another certificate than the one it was given is started again: once for each certificate.
    func restartStaleServers() async {
        guard let stored = try? keeper.usable() else { return }
        // Who could not be given it would begin with the old one.
        guard let isNews = try? await give(stored) else { return }
        if isNews { await lookUntilServed() }
        let serial = stored.record.serial
        let stale = await keeper.stale(among: settings.endpoints)
        for service in Service.allCases where stale.contains(where: { $0.service == service }) {
            guard restarted.withLock({ $0.insert("\(service.rawValue) \(serial)").inserted }) else { continue }
            let ports = stale.filter { $0.service == service }.map(\.name).joined(separator: ", ")
            say.problem(
                .init(
                    error: "\(service.rawValue) still serves another certificate", cause: "seen on \(ports)",
                    tryThis: "nothing; it is being started again"))
            _ = await household.restart(service)
        }
        if !stale.isEmpty { await lookAtPorts() }
    }
}
