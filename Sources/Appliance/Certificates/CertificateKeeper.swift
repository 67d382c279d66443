import CertificateStore
import DurableFiles
import Glibc
import Settings
import Supervision

/// Keeps a good certificate for every name: gets it, remembers what went wrong, knows when the next attempt is due.
actor CertificateKeeper {
    let settings: Settings
    let jobs: CertificateJobs
    let program: CertificateProgram
    nonisolated let store: CertificateStore
    /// Seconds since 1970.
    nonisolated let now: @Sendable () -> Int
    /// The serial that each port serves.
    private var served: [String: String] = [:]
    /// What has been tried. The file is its copy for the next run: when the disk is full, the pauses count all the same.
    var attempts: AttemptState
    /// What is being done; begun and ended by whoever asks for it.
    nonisolated let work = CertificateWork()

    init(
        settings: Settings, locations: Locations, program: String, accounts: Accounts, hasWebServer: Bool = true,
        now: @escaping @Sendable () -> Int = { Int(time(nil)) }
    ) throws {
        self.settings = settings
        self.now = now
        self.program = try CertificateProgram(path: program, account: accounts.certificates)
        jobs = CertificateJobs(settings: settings, locations: locations, hasWebServer: hasWebServer)
        store = CertificateStore(folder: locations.certificates, owner: accounts.certificates)
        attempts = (try? store.attempts()) ?? AttemptState()
    }

    /// The certificate in place, if it is for these settings and can be used now.
    nonisolated func usable() throws(StoreError) -> CertificateStore.Stored? {
        guard let stored = try store.current(covering: settings.certificateNames, now: now()),
            let origin = stored.record.origin, settings.certificates.origins.contains(origin)
        else { return nil }
        return stored
    }

    /// Why the last attempt failed; nil when it did not.
    var lastFailure: CertificateFailure? { attempts.lastError }

    /// Not before this moment, in seconds since 1970, is an attempt to be made while there is no certificate; 0 for at once.
    var endOfPause: Int {
        if attempts.forgetFuture(now: now()) { save() }
        return attempts.nextAttempt ?? 0
    }

    /// Whether somebody who has probably mended what was wrong may try at once: a few times. Then the pauses count, for the
    /// certificate authority counts failures too.
    var permitsImpatience: Bool { attempts.failures < 4 || endOfPause <= now() }

    // MARK: - Getting one

    /// Gets a certificate, once. What came of it is kept on disk.
    @discardableResult
    func obtain(progress: @escaping @Sendable (CertificateEvent) -> Void) async throws(CertificateFailure) -> CertificateStore.Stored {
        let told: @Sendable (CertificateEvent) -> Void = { [work] event in
            work.note(event)
            progress(event)
        }
        do throws(CertificateFailure) {
            let authority = try await get(told)
            let stored = try kept()
            attempts.succeeded(at: authority, now: now())
            attempts.renewal = RenewalPlan(serial: stored.record.serial)
            save()
            return stored
        } catch {
            attempts.failed(error, asking: settings.certificates.directories, now: now())
            save()
            throw error
        }
    }

    /// Does the job of the source. Returns the authority that did it, if one did.
    private func get(_ progress: @escaping @Sendable (CertificateEvent) -> Void) async throws(CertificateFailure) -> String? {
        switch settings.certificates {
        case .acme(let authorities): return try await ask(authorities, progress)
        case .files(let fullChain, let privateKey):
            try await program.run(jobs.inspect(fullChain: fullChain, privateKey: privateKey), progress: progress)
        case .internalAuthority: try await program.run(jobs.internal, progress: progress)
        }
        return nil
    }

    /// Asks the first authority; the next ones too when it stays down.
    private func ask(
        _ authorities: Settings.Authorities, _ progress: @escaping @Sendable (CertificateEvent) -> Void
    ) async throws(CertificateFailure) -> String? {
        var refusal: CertificateFailure?
        for (index, directory) in authorities.directories.enumerated() {
            let isLast = index == authorities.directories.count - 1
            let state = attempts.authorities?[directory] ?? AuthorityState()
            // One that asked for a pause gets it, as long as there is another.
            if !isLast, state.nextAttempt > now(), state.staysDown(now: now()) { continue }
            do throws(CertificateFailure) {
                try await program.run(try jobs.issue(from: directory, of: authorities), progress: progress)
                return directory
            } catch {
                refusal = error
                guard error.isOfAuthority else { throw error }
                attempts.failed(error, at: directory, now: now())
                guard let state = attempts.authorities?[directory], state.staysDown(now: now()), !isLast else { throw error }
                progress(.progress(step: "another authority", name: nil))
            }
        }
        throw refusal ?? CertificateFailure(kind: .caDown, error: "no certificate authority can be asked now")
    }

    /// The certificate that the program has just put in place.
    private func kept() throws(CertificateFailure) -> CertificateStore.Stored {
        let stored: CertificateStore.Stored?
        do throws(StoreError) {
            stored = try store.current(covering: settings.certificateNames, now: now())
        } catch {
            throw CertificateFailure(error)
        }
        guard let stored else {
            throw CertificateFailure(kind: .badCertificate, error: "the certificate does not hold every name", try: "look at `snikket logs`")
        }
        return stored
    }

    /// Without it only the next run forgets.
    func save() { try? store.save(attempts) }

    // MARK: - Using it

    /// Gives each server its own copy; one that cannot be given it does not keep the others from theirs.
    ///
    /// - Returns: the servers that have another one than before, and why one could not be given it.
    func handOut(_ stored: CertificateStore.Stored, accounts: Accounts) -> (changed: [Service], failure: CertificateFailure?) {
        var (changed, failure) = ([Service](), CertificateFailure?.none)
        for service in [Service.prosody, .nginx, .coturn] {
            do throws(StoreError) {
                if try store.deploy(stored, to: jobs.locations.run(of: service) + "/tls", reader: accounts[service]) { changed.append(service) }
            } catch {
                failure = failure ?? CertificateFailure(error)
            }
        }
        return (changed, failure)
    }

    /// Gives each server its own copy.
    ///
    /// - Returns: the servers that have another one than before.
    @discardableResult
    func deploy(_ stored: CertificateStore.Stored, accounts: Accounts) throws(CertificateFailure) -> [Service] {
        let (changed, failure) = handOut(stored, accounts: accounts)
        if let failure { throw failure }
        return changed
    }

    /// What each port really serves, by its name, has been seen. One that was not seen is as it was.
    func saw(_ serials: [String: String]) { served.merge(serials) { $1 } }

    /// Whether every one of these ports serves the certificate that is in place, as of the last look.
    func isServed(by endpoints: [Endpoint]) -> Bool {
        guard let serial = (try? usable())?.record.serial else { return false }
        return endpoints.allSatisfy { !$0.showsCertificate || served[$0.name] == serial }
    }

    /// The ports that serve another certificate than the one in place, as of the last look. One that does not answer is not among them.
    func stale(among endpoints: [Endpoint]) -> [Endpoint] {
        guard let serial = (try? usable())?.record.serial else { return [] }
        return endpoints.filter { $0.showsCertificate && served[$0.name].map { $0 != serial } ?? false }
    }

    /// How things are with the certificate.
    func report() -> StatusReport.CertificateReport {
        let record = (try? usable())?.record
        let window = record.flatMap { plan(of: $0).window }
        return StatusReport.CertificateReport(
            names: record?.names ?? settings.certificateNames, issuer: record?.issuer, serial: record?.serial,
            notBefore: record.map { RFC3339.text($0.notBefore) }, notAfter: record.map { RFC3339.text($0.notAfter) },
            nextAttempt: RFC3339.text(nextAttempt()), lastAttempt: attempts.lastAttempt.map(RFC3339.text), failures: attempts.failures,
            lastError: attempts.lastError.map(StatusReport.ProblemReport.init), origin: record?.origin,
            renewalWindow: window.map { .init(start: RFC3339.text($0.start), end: RFC3339.text($0.end), explanation: $0.explanation) },
            work: work.report, served: served)
    }
}

extension Settings.CertificateSource {
    /// Where a certificate may be from to be used: one of another source is not.
    var origins: [String] {
        switch self {
        case .acme(let authorities): authorities.directories
        case .files: [CertificateRecord.files]
        case .internalAuthority: [CertificateRecord.internal]
        }
    }

    /// Whether it is the person who renews.
    var isOwn: Bool {
        if case .files = self { true } else { false }
    }

    /// The authorities that are asked over the network.
    var directories: [String] {
        if case .acme(let authorities) = self { authorities.directories } else { [] }
    }
}

extension CertificateFailure {
    /// What a full disk or a wrong permission means for a certificate.
    init(_ error: StoreError) {
        let (cause, advice) =
            switch error {
            case .file(let error) where error.errno == ENOSPC || error.errno == EDQUOT: ("\(error.path): \(error.words)", "make room")
            case .file(let error): ("\(error.path): \(error.words)", "look at the owner and the mode of that folder")
            case .damaged(let path): ("\(path) is damaged", "remove it")
            case .busy(let path): ("another process uses \(path)", "end it")
            }
        self.init(kind: .local, error: "the certificate could not be put in place", cause: cause, try: advice)
    }
}

extension StatusReport.ProblemReport {
    init(_ failure: CertificateFailure) {
        self.init(error: failure.error, cause: failure.cause, tryThis: failure.try)
    }
}
