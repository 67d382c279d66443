import ArgumentParser
import CertificateStore
import OpenSSL

/// The person's own files: can they be put into use?
struct Inspect: Job {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Check a certificate and key: chain, key, names, dates.")

    @Option(help: ArgumentHelp("The certificate and its issuers, PEM.", valueName: "file"))
    var fullchain: String

    @Option(help: ArgumentHelp("The private key, PEM.", valueName: "file"))
    var key: String

    @Option(name: .customLong("name"), help: ArgumentHelp("A name that it has to hold; repeated.", valueName: "name"))
    var names: [String]

    @Option(help: ArgumentHelp("Put them in this folder as well when they are good.", valueName: "dir"))
    var output: String?

    func execute() async throws(CertificateFailure) {
        let names = try validated(names)
        let chain = try read(fullchain, what: "certificate")
        let keyPEM = try read(key, what: "private key")
        do {
            let leaf = try checkedCertificate(chain: chain, key: keyPEM, names: names, now: now())
            emit(.inspected(record: leaf.record))
            guard let output else { return }
            try becomeOwner(of: output)
            let lock = try StoreLock(folder: output)
            defer { extendLifetime(lock) }
            try CertificateStore(folder: output).install(chain: chain, key: keyPEM, record: leaf.record.had(from: CertificateRecord.files))
            emit(.issued(record: leaf.record, fullChain: output + "/fullchain.pem", privateKey: output + "/privkey.pem"))
        } catch let problem as CertificateProblem {
            throw CertificateFailure(describing: problem, from: .person(fullchain: fullchain, key: key))
        } catch {
            throw CertificateFailure(describing: error)
        }
    }
}
