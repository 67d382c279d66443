import Appliance
public import ArgumentParser
public import CertificateStore
import Glibc
import Settings

/// `snikket certificate revoke`
struct CertificateRevoke: Command {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Replace the certificate and declare the present one void, when its key may have become known.",
        discussion: """
            First a new certificate with a new key is put into use, so that the service goes on; then the old one is revoked \
            (RFC 8555 section 7.6). `snikket up` has to be running.
            """)

    @OptionGroup var common: CommonOptions

    @Option(help: ArgumentHelp("Why.", valueName: "reason"))
    var reason = RevocationReason.keyCompromise

    @Flag(help: "Revoke it even when no new one can be had: apps may then refuse to connect.")
    var force = false

    @Flag(name: [.short, .long], help: "Do not ask.")
    var yes = false

    @Flag(help: "Print one JSON object: `certificate` of `snikket status --json`.")
    var json = false

    func execute() async throws {
        let client = ControlClient(try common.locations())
        guard let serial = try await client.status().certificate?.serial else {
            throw Failure(
                error: "there is no certificate to revoke", cause: "none has been got yet, or it was removed", tryThis: "snikket certificate show")
        }
        try confirm(serial)
        let attempt = try await client.revokeCertificate(reason: reason, isForced: force)
        let certificate = try await follow(attempt: attempt, with: client)
        Terminal.standardError.print("the certificate \(serial) is revoked")
        try tellResult(certificate, json: json)
    }

    private func confirm(_ serial: String) throws {
        guard !yes else { return }
        guard isatty(STDIN_FILENO) == 1 else {
            throw Failure(
                error: "the certificate is not revoked without being asked twice", cause: "there is no terminal to ask on",
                tryThis: "pass --yes", code: .usage)
        }
        print("Replace and revoke the certificate \(serial)? [y/N] ", terminator: "")
        fflush(nil)
        guard let answer = readLine(), ["y", "yes"].contains(answer.lowercased()) else {
            throw Failure.declined
        }
    }
}

extension RevocationReason: ExpressibleByArgument {}
