public import CertificateStore
import Glibc
import ServerConfigs
public import Settings

/// The certificate while no `snikket up` runs.
public struct OfflineCertificate: Sendable {
    private let keeper: CertificateKeeper
    private let locations: Locations
    private let accounts: Accounts

    /// - Parameters:
    ///   - programs: the folder with the program `snikket-certs`.
    /// - Throws: ``ApplianceError``
    public init(settings: Settings, locations: Locations, programs: String, accounts: Accounts) throws {
        self.locations = locations
        self.accounts = accounts
        // There is no web server on the port that the CA asks, so snikket-certs listens there itself. IPv6 may be absent altogether.
        var settings = settings
        settings.ipv6 = settings.ipv6 && ServerFacts.machineHasIPv6()
        keeper = try CertificateKeeper(
            settings: settings, locations: locations, program: programs + "/snikket-certs", accounts: accounts, hasWebServer: false)
    }

    /// What is known of it. Nothing is asked of anybody.
    public func report() async -> StatusReport.CertificateReport { await keeper.report() }

    /// Gets a certificate; it is used when `snikket up` is started.
    ///
    /// - Throws: ``ApplianceError`` when `snikket up` runs after all, or the state directory cannot be used; `CertificateFailure`.
    public func obtain(progress: @escaping @Sendable (CertificateEvent) -> Void) async throws {
        umask(0o022)
        let lock = try RunLock(locations)
        try Ground.prepare(locations, accounts: accounts)
        defer { extendLifetime(lock) }
        guard await keeper.permitsImpatience else {
            throw CertificateFailure(
                kind: .rateLimited, error: "it is too early for another attempt",
                cause: "the last attempts failed, and certificate authorities count failures",
                try: "wait for the next attempt, at \(RFC3339.text(await keeper.nextAttempt()))")
        }
        try await keeper.obtain(progress: progress)
    }
}
