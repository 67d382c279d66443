import Appliance
import ArgumentParser
import CertificateStore
import Settings

/// `snikket certificate issue`
struct CertificateIssue: Command {
    static let configuration = CommandConfiguration(
        commandName: "issue", abstract: "Get a certificate when there is none that can be used.",
        discussion: """
            While `snikket up` runs, it does it; else this command answers the authority itself (on the HTTP port, unless SNIKKET_CHALLENGE says otherwise), and the certificate is \
            used when `snikket up` is started.
            """)

    @OptionGroup var common: CommonOptions

    @Flag(help: "Print one JSON object: `certificate` of `snikket status --json`.")
    var json = false

    func execute() async throws {
        let locations = try common.locations()
        if let (client, report) = try await runningAppliance(locations) {
            if let certificate = report.certificate, certificate.serial != nil { return try tellResult(certificate, json: json) }
            try tellResult(try await follow(attempt: try await client.renewCertificate(), with: client), json: json)
        } else {
            let certificate = try offlineCertificate(locations)
            if await certificate.report().serial == nil { try await certificate.obtain(progress: tellStep) }
            try tellResult(await certificate.report(), json: json)
        }
    }
}

/// A step on the way, for whoever waits.
@Sendable
func tellStep(_ event: CertificateEvent) {
    guard case .progress(let step, let name) = event else { return }
    Terminal.standardError.print("certificate: \(step)\(name.map { " \($0)" } ?? "")")
}
