import ArgumentParser
import ProcessMemory

/// One job a run: it talks to a certificate authority or looks at certificates, prints JSON lines, and ends.
@main
struct CertificateProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snikket-certs", abstract: "Talk to a certificate authority; look at TLS endpoints.",
        subcommands: [
            Issue.self, Renewal.self, Revoke.self, AccountCommand.self, Internal.self, Inspect.self, Probe.self, Look.self, MailCommand.self,
        ])

    static func main() async {
        useOneHeap()
        releaseStartupPages()
        await main(nil)
    }
}
