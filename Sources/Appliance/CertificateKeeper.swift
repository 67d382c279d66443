import CertificateStore
import DurableFiles
import Glibc
import Settings
import Supervision

/// Keeps a good certificate for every name: gets it, remembers what went wrong, knows when the next attempt is due.
actor CertificateKeeper {
    private let settings: Settings
    private let locations: Locations
    private let program: CertificateProgram
    private nonisolated let store: CertificateStore
    /// Chance decides once per run by how much renewal comes early, so that not every machine asks at the same moment.
    private let spread = Double.random(in: 0...1)
    /// The serial that each port serves.
    private var served: [String: String] = [:]
    /// What has been tried. The file is its copy for the next run: when the disk is full, the pauses count all the same.
    private var attempts: AttemptState

    init(settings: Settings, locations: Locations, program: String, accounts: Accounts) throws {
        self.settings = settings
        self.locations = locations
        self.program = try CertificateProgram(path: program, account: accounts.certificates)
        store = CertificateStore(folder: locations.certificates)
        attempts = (try? store.attempts()) ?? AttemptState()
    }

    /// The certificate in place, if it is for these settings and can be used now.
    nonisolated func usable() throws(StoreError) -> CertificateStore.Stored? {
        guard try store.source() == settings.certificates.name else { return nil }
        return try store.current(covering: settings.certificateNames, now: time(nil))
    }

    /// Why the last attempt failed; nil when it did not.
    var lastFailure: CertificateFailure? { attempts.lastError }

    /// How many attempts failed since the last that did not.
    var failuresInARow: Int { attempts.failures }

    /// Not before this moment, in seconds since 1970, is an attempt to be made while there is no certificate; 0 for at once.
    var endOfPause: Int { attempts.nextAttempt ?? 0 }

    /// When a new certificate is to be had, in seconds since 1970.
    func nextAttempt() -> Int {
        guard let stored = try? usable() else { return endOfPause }
        switch settings.certificates {
        // The person replaces the files when it suits them.
        case .files: return max(endOfPause, Int(time(nil)) + 3_600)
        case .acme, .internalAuthority: return max(endOfPause, stored.record.renewalTime(spread: spread))
        }
    }

    /// Gets a certificate, once. What came of it is kept on disk.
    func obtain(progress: @escaping @Sendable (CertificateEvent) -> Void) async throws(CertificateFailure) -> CertificateStore.Stored {
        do throws(CertificateFailure) {
            _ = try await program.run(job, asOurselves: runsAsOurselves, progress: progress)
            let stored = try kept()
            attempts.succeeded(now: time(nil))
            // Without it only the next run forgets.
            try? store.save(attempts)
            return stored
        } catch {
            attempts.failed(error, now: time(nil))
            try? store.save(attempts)
            throw error
        }
    }

    /// The certificate that the program has just put in place.
    private func kept() throws(CertificateFailure) -> CertificateStore.Stored {
        let stored: CertificateStore.Stored?
        do throws(StoreError) {
            try store.save(source: settings.certificates.name)
            stored = try store.current(covering: settings.certificateNames, now: time(nil))
        } catch {
            throw CertificateFailure(error)
        }
        guard let stored else {
            throw CertificateFailure(kind: .badCertificate, error: "the certificate does not hold every name", try: "look at `snikket logs`")
        }
        return stored
    }

    /// The person's own files may be readable for root only.
    private var runsAsOurselves: Bool {
        if case .files = settings.certificates { true } else { false }
    }

    /// What `snikket-certs` is told to do.
    private var job: [String] {
        let names = settings.certificateNames.flatMap { ["--name", $0] }
        switch settings.certificates {
        case .acme(let directory, let caBundle):
            // Behind many a router a machine cannot reach its own public address, and the CA can: it is the one to ask.
            return ["issue", "--directory", directory, "--email", settings.adminEmail, "--webroot", locations.challenges, "--no-self-check"]
                + ["--state", locations.acme, "--output", locations.certificates] + names + (caBundle.map { ["--ca-bundle", $0] } ?? [])
        case .files(let fullChain, let privateKey):
            return ["inspect", "--fullchain", fullChain, "--key", privateKey, "--output", locations.certificates] + names
        case .internalAuthority:
            let addresses = settings.domain == "localhost" ? ["--name", "127.0.0.1"] : []
            return ["internal", "--state", locations.certificates, "--output", locations.certificates] + names + addresses
        }
    }

    /// Gives each server its own copy.
    ///
    /// - Returns: the servers that have another one than before.
    func deploy(_ stored: CertificateStore.Stored, accounts: Accounts) throws(CertificateFailure) -> [Service] {
        var changed: [Service] = []
        do throws(StoreError) {
            for service in [Service.prosody, .nginx, .coturn] {
                if try store.deploy(stored, to: locations.run(of: service) + "/tls", owner: accounts[service]) { changed.append(service) }
            }
        } catch {
            throw CertificateFailure(error)
        }
        return changed
    }

    /// Looks at what each port really serves.
    func look(at endpoints: [Endpoint]) async {
        served = await withTaskGroup(of: (String, String?).self) { [program] group in
            for endpoint in endpoints {
                group.addTask {
                    let event = try? await program.run(endpoint.probe, deadline: .seconds(20))
                    guard case .probed(let record, _) = event else { return (endpoint.name, nil) }
                    return (endpoint.name, record.serial)
                }
            }
            var served: [String: String] = [:]
            for await (name, serial) in group { served[name] = serial }
            return served
        }
    }

    /// Whether every one of these ports serves the certificate that is in place, as of the last look.
    func isServed(by endpoints: [Endpoint]) -> Bool {
        guard let serial = (try? usable())?.record.serial else { return false }
        return endpoints.allSatisfy { served[$0.name] == serial }
    }

    /// How things are with the certificate.
    func report() -> StatusReport.CertificateReport {
        let record = (try? usable())?.record
        return StatusReport.CertificateReport(
            names: record?.names ?? settings.certificateNames, issuer: record?.issuer, serial: record?.serial,
            notAfter: record.map { RFC3339.text($0.notAfter) }, nextAttempt: RFC3339.text(nextAttempt()),
            lastError: attempts.lastError.map { .init(error: $0.error, cause: $0.cause, tryThis: $0.try) }, served: served)
    }
}

/// A port on which a certificate is served.
struct Endpoint: Sendable {
    let name: String
    let probe: [String]

    init(_ name: String, address: String, port: Int, host: String, startTLS: String? = nil, stream: String? = nil) {
        self.name = name
        probe =
            ["probe", "--connect", "\(address):\(port)", "--name", host, "--timeout", "10"] + (startTLS.map { ["--starttls", $0] } ?? [])
            + (stream.map { ["--stream", $0] } ?? [])
    }
}

extension Settings.CertificateSource {
    /// What tells this source from another: a certificate of another one is not used.
    var name: String {
        switch self {
        case .acme(let directory, _): "acme \(directory)"
        case .files: "files"
        case .internalAuthority: "internal"
        }
    }
}

extension CertificateFailure {
    /// What a full disk or a wrong permission means for a certificate.
    init(_ error: StoreError) {
        let (cause, advice) =
            switch error {
            case .file(let error): ("\(error.path): \(error.words)", "is the disk full?")
            case .damaged(let path): ("\(path) is damaged", "remove it")
            case .busy(let path): ("another process uses \(path)", "end it")
            }
        self.init(kind: .local, error: "the certificate could not be put in place", cause: cause, try: advice)
    }
}
