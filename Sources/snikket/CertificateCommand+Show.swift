import Appliance
import ArgumentParser
import Settings

/// `snikket certificate show`
struct CertificateShow: Command {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Its names, issuer and dates, the next attempt, and what each server really serves.",
        discussion: "Exit status: 0 when there is a certificate that can be used and every server serves it, else 1.")

    @OptionGroup var common: CommonOptions

    @Flag(help: "Print one JSON object: `certificate` of `snikket status --json`.")
    var json = false

    func execute() async throws {
        let locations = try common.locations()
        let certificate: StatusReport.CertificateReport?
        if let running = try await runningAppliance(locations) {
            certificate = running.report.certificate
        } else {
            certificate = await (try offlineCertificate(locations)).report()
        }
        guard let certificate else { throw Failure.stillStarting }
        try tellResult(certificate, json: json)
        guard let serial = certificate.serial, certificate.served.values.allSatisfy({ $0 == serial }) else {
            throw ExitCode(Failure.Code.failed.rawValue)
        }
    }
}
