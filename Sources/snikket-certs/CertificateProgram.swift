import ArgumentParser

@main
struct CertificateProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snikket-certs", abstract: "Talk to a certificate authority; look at TLS endpoints.")
}
