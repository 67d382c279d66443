import ACME
import ArgumentParser
import CertificateStore
import OpenSSL

/// When does the CA want a certificate to be renewed?
struct Renewal: Job {
    static let configuration = CommandConfiguration(
        commandName: "renewal", abstract: "Ask when a certificate should be renewed (RFC 9773).")

    @OptionGroup var authority: AuthorityOptions

    @Option(help: ArgumentHelp("The certificate, PEM; of a chain its first.", valueName: "file"))
    var fullchain: String

    func execute() async throws(CertificateFailure) {
        do {
            let leaf = try firstCertificate(of: fullchain)
            guard let identifier = leaf.renewalIdentifier else {
                throw CertificateFailure(
                    kind: .badCertificate, error: "the certificate \(fullchain) has no renewal information",
                    cause: "it does not say which key issued it")
            }
            // Nothing is signed here: any key will do.
            let client = authority.client(try AccountKey(try PrivateKey()), over: try authority.transport())
            let info = try await client.renewalInfo(identifier)
            emit(.renewal(RenewalWindow(start: info.start, end: info.end, explanation: info.explanationURL, retryAfter: info.retryAfter)))
        } catch let problem as CertificateProblem {
            throw CertificateFailure(describing: problem, from: .person(fullchain: fullchain, key: ""))
        } catch {
            throw CertificateFailure(describing: error)
        }
    }
}

extension Certificate {
    /// How the CA calls it in renewal information; nil when it does not name its issuer's key.
    var renewalIdentifier: String? {
        authorityKeyIdentifier.map { ACME.renewalIdentifier(authorityKey: $0, serial: serialBytes) }
    }
}
