import ACME
public import ArgumentParser
public import CertificateStore
import Curl
import OpenSSL

/// Declares a certificate void.
struct Revoke: Job {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Revoke a certificate, with the account's key or with the certificate's own (RFC 8555 §7.6).")

    @OptionGroup var authority: AuthorityOptions

    @Option(help: ArgumentHelp("The certificate, PEM; of a chain its first.", valueName: "file"))
    var fullchain: String

    @Option(help: ArgumentHelp("Where the account is kept that the certificate was issued to.", valueName: "dir"))
    var state: String?

    @Option(help: ArgumentHelp("The certificate's private key, PEM: instead of the account.", valueName: "file"))
    var key: String?

    @Option(help: "Why.")
    var reason: RevocationReason?

    func validate() throws {
        guard (state == nil) != (key == nil) else { throw ValidationError("Give either --state or --key.") }
    }

    func execute() async throws(CertificateFailure) {
        do {
            let leaf = try firstCertificate(of: fullchain)
            let client: Client
            let transport = try authority.transport()
            if let key {
                let own = try PrivateKey(pem: try read(key, what: "private key"))
                guard leaf.matches(own) else { throw CertificateProblem.keyMismatch }
                client = authority.client(try AccountKey(own), over: transport)
            } else {
                let files = Account(state: state ?? ".", directory: authority.directory)
                guard let signer = try files.existingKey() else {
                    throw CertificateFailure(
                        kind: .configuration, error: "there is no account at this certificate authority", cause: "\(files.folder) holds none",
                        try: "check --directory and --state, or give the certificate's own key with --key")
                }
                client = authority.client(signer, over: transport)
                guard try await client.existingAccount() != nil else {
                    throw CertificateFailure(
                        kind: .configuration, error: "the certificate authority does not know this account",
                        try: "give the certificate's own key with --key")
                }
            }
            try await client.revoke(try leaf.der(), reason: reason?.code)
            emit(.revoked(serial: leaf.serial))
        } catch let problem as CertificateProblem {
            throw CertificateFailure(describing: problem, from: .person(fullchain: fullchain, key: key ?? ""))
        } catch {
            throw CertificateFailure(describing: error)
        }
    }
}

extension RevocationReason: ExpressibleByArgument {}

/// The first certificate of a PEM file.
func firstCertificate(of path: String) throws -> Certificate {
    let pem = try read(path, what: "certificate")
    do {
        guard let leaf = try Certificate.chain(pem: pem).first else { throw CertificateProblem.selfSigned }
        return leaf
    } catch let error as OpenSSLError {
        throw CertificateProblem.unreadableCertificate(error)
    }
}
