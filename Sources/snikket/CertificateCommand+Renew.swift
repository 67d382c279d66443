import Appliance
import ArgumentParser
import Settings

/// `snikket certificate renew`
struct CertificateRenew: Command {
    static let configuration = CommandConfiguration(
        commandName: "renew", abstract: "Get a new certificate now, and have every server use it.",
        discussion: """
            It is done without being asked for, in time. Authorities such as Let's Encrypt give five certificates for the same names \
            a week, so do not repeat this without need.
            """)

    @OptionGroup var common: CommonOptions

    @Flag(help: "Print one JSON object: `certificate` of `snikket status --json`.")
    var json = false

    func execute() async throws {
        let locations = try common.locations()
        if let (client, _) = try await runningAppliance(locations) {
            try tellResult(try await follow(attempt: try await client.renewCertificate(), with: client), json: json)
        } else {
            let certificate = try offlineCertificate(locations)
            try await certificate.obtain(progress: tellStep)
            try tellResult(await certificate.report(), json: json)
        }
    }
}
