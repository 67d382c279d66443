import CertificateStore
import DurableFiles
import Settings

extension CertificateKeeper {
    /// When a new certificate is to be had, in seconds since 1970.
    func nextAttempt() -> Int {
        let stored: CertificateStore.Stored?
        do throws(StoreError) {
            stored = try usable()
        } catch {
            // What cannot be read just now, for want of a descriptor for example, is no reason to have another.
            return max(endOfPause, now() + 60)
        }
        guard let stored else { return endOfPause }
        switch settings.certificates {
        // The person replaces the files when it suits them.
        case .files: return max(endOfPause, now() + 3_600)
        case .internalAuthority where isOfTheFuture(stored.record): return endOfPause
        case .acme, .internalAuthority: return max(endOfPause, plan(of: stored.record).time(of: stored.record))
        }
    }

    /// Whether our own authority has signed it while the clock was ahead: nobody accepts it then. When the authority itself is of the future it is the
    /// clock that is behind, and the certificate good.
    private func isOfTheFuture(_ record: CertificateRecord) -> Bool {
        guard record.notBefore > now() + ClockWatch.tolerance, let authority = File.lastChange(of: jobs.internalAuthority) else { return false }
        return authority <= now()
    }

    /// When to do something next: renew, or ask the CA when to renew.
    func nextStep() -> Int {
        if attempts.forgetFuture(now: now()) { save() }
        guard let (stored, _, _) = renewable() else { return nextAttempt() }
        return min(nextAttempt(), plan(of: stored.record).nextLook)
    }

    /// The plan for a certificate; a new one for a certificate that has none.
    func plan(of record: CertificateRecord) -> RenewalPlan {
        if let plan = attempts.renewal, plan.serial == record.serial { return plan }
        let plan = RenewalPlan(serial: record.serial)
        attempts.renewal = plan
        save()
        return plan
    }

    /// When the certificate in place began, in seconds since 1970, whether or not it can be used now.
    var begin: Int? { (try? store.current())?.record.notBefore }

    /// Asks the CA when it wants the certificate to be renewed (RFC 9773), when it is time to ask.
    func lookAtRenewalWindow() async {
        guard let (stored, directory, authorities) = renewable() else { return }
        var plan = plan(of: stored.record)
        guard plan.nextLook <= now() else { return }
        do throws(CertificateFailure) {
            let event = try await program.ask(jobs.renewal(of: stored.fullChain, from: directory, of: authorities))
            guard case .renewal(let window) = event else { return }
            plan.heard(window, now: now())
        } catch {
            plan.heardNothing(error, now: now())
        }
        // Another certificate may have come meanwhile.
        guard attempts.renewal?.serial == plan.serial else { return }
        attempts.renewal = plan
        save()
    }

    /// The certificate in use, if a CA was asked for it that can still be asked.
    private func renewable() -> (CertificateStore.Stored, directory: String, Settings.Authorities)? {
        guard case .acme(let authorities) = settings.certificates, let stored = try? usable(), let directory = stored.record.origin else {
            return nil
        }
        return (stored, directory, authorities)
    }

    /// What a revocation was about that did not come to its end; nil when that is still in use, or its files are gone.
    func toRevoke(besides current: CertificateStore.Stored) -> CertificateStore.Stored? {
        guard let serial = attempts.toRevoke, serial != current.record.serial else { return nil }
        return try? store.pair(serial: serial)
    }

    /// Keeps on disk that a certificate is to be revoked; nil: none any more.
    func remember(toRevoke stored: CertificateStore.Stored?) {
        attempts.toRevoke = stored?.record.serial
        save()
    }

    /// Declares a certificate void.
    func revoke(_ stored: CertificateStore.Stored, reason: RevocationReason) async throws(CertificateFailure) {
        guard case .acme(let authorities) = settings.certificates, let directory = stored.record.origin else {
            throw CertificateFailure(
                kind: .configuration, error: "this certificate cannot be revoked", cause: "it is not from an authority that speaks ACME",
                try: "ask whoever issued it")
        }
        try await program.ask(jobs.revoke(stored, reason: reason, from: directory, of: authorities))
    }
}
