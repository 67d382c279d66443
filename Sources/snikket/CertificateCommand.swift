import Appliance
import ArgumentParser
import CertificateStore
import Glibc
import Settings

/// `snikket certificate`
struct CertificateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certificate", abstract: "Show, get, renew or revoke the certificate.",
        discussion: """
            None of this is needed from day to day: `snikket up` gets the certificate and renews it by itself.
            """,
        subcommands: [CertificateShow.self, CertificateIssue.self, CertificateRenew.self, CertificateRevoke.self])
}

/// The certificate when `snikket up` does not run.
func offlineCertificate(_ locations: Locations) throws -> OfflineCertificate {
    let settings = try readSettings(locations)
    let accounts = geteuid() == 0 ? try Accounts.installed() : .own
    return try OfflineCertificate(settings: settings, locations: locations, programs: try programFolder(), accounts: accounts)
}

/// The running appliance and how it is; nil when none runs.
func runningAppliance(_ locations: Locations) async throws -> (client: ControlClient, report: StatusReport)? {
    let client = ControlClient(locations)
    do throws(ApplianceError) {
        return (client, try await client.status())
    } catch {
        if case .notRunning = error { return nil }
        throw error
    }
}

/// Follows an attempt of the running appliance to its end, and tells its steps on the way.
///
/// - Returns: the certificate afterwards.
/// - Throws: ``Failure`` when the attempt failed.
func follow(attempt number: Int, with client: ControlClient) async throws -> StatusReport.CertificateReport {
    let terminal = Terminal.standardError
    var told = ""
    while true {
        guard let certificate = try await client.status().certificate else { throw Failure.stillStarting }
        if let work = certificate.work, work.number >= number {
            if work.number == number, work.step != told {
                told = work.step
                terminal.print("certificate: \(told)")
            }
            if work.done || work.number > number {
                if let problem = work.error {
                    throw Failure(error: problem.error, cause: problem.cause, tryThis: problem.tryThis)
                }
                return certificate
            }
        }
        try await Task.sleep(for: .milliseconds(100))
    }
}

/// What a command about the certificate prints when it has done its work.
func tellResult(_ certificate: StatusReport.CertificateReport, json: Bool) throws {
    let terminal = Terminal.standardOutput
    if json {
        terminal.print(String(decoding: try certificate.json(pretty: terminal.isInteractive), as: UTF8.self))
    } else {
        terminal.print(CertificateTable(certificate, now: Int(time(nil)), colour: terminal.hasColour).text)
    }
}
