import ArgumentParser
import CertificateStore
import DurableFiles
import Glibc
import OpenSSL

/// A certificate from an authority that is made and kept here.
struct Internal: Job {
    static let configuration = CommandConfiguration(
        commandName: "internal", abstract: "Issue a certificate from a local authority, which is made when there is none.")

    @Option(help: ArgumentHelp("Where the authority is kept, in its folder `authority`.", valueName: "dir"))
    var state: String

    @Option(name: .customLong("name"), help: ArgumentHelp("A name or address to certify; repeated.", valueName: "name"))
    var names: [String]

    @Option(help: ArgumentHelp("Where fullchain.pem and privkey.pem go.", valueName: "dir"))
    var output: String

    func execute() async throws(CertificateFailure) {
        let names = try validated(names)
        do {
            let lock = try StoreLock(folder: output)
            defer { extendLifetime(lock) }
            let authority = try LocalAuthority(folder: state + "/authority").load(for: names)
            emit(.progress(step: "certificate", name: nil))
            let key = try PrivateKey()
            let leaf = try authority.issue(names: names, key: key, now: now())
            let chain = try leaf.pem() + authority.certificate.pem()
            let pem = try key.pem()
            _ = try checkedCertificate(chain: chain, key: pem, names: names, now: now())
            let stored = try CertificateStore(folder: output).install(
                chain: chain, key: pem, record: leaf.record.had(from: CertificateRecord.internal))
            emit(.issued(record: stored.record, fullChain: output + "/fullchain.pem", privateKey: output + "/privkey.pem"))
        } catch {
            throw CertificateFailure(describing: error)
        }
    }
}

/// The authority's files: `ca.pem`, which people import and may read, and `ca.key`, which nobody may.
struct LocalAuthority {
    let folder: String

    /// Loads the authority; makes another when it is missing, ends before a certificate of its would, or may not vouch for a name.
    func load(for names: [String]) throws -> Authority {
        try Folder.make(folder, mode: 0o755, followingLinks: true)
        let certificatePath = folder + "/ca.pem"
        // The key is written first: a certificate without its key would be useless, a key without its certificate is made anew.
        let keyPath = folder + "/ca.key"
        if access(certificatePath, F_OK) == 0, access(keyPath, F_OK) == 0 {
            let key = try PrivateKey(pem: try read(keyPath, what: "authority's key"))
            let certificates = try Certificate.chain(pem: try read(certificatePath, what: "authority's certificate"))
            if let certificate = certificates.first, certificate.matches(key), certificate.notAfter > now() + 100 * 86400 {
                // Whoever trusts it would have to be told of another one, and only because the clock is behind.
                guard certificate.notBefore <= now() else {
                    throw CertificateFailure(
                        kind: .local, error: "this machine's clock is behind", cause: "its own certificate authority is from a later time",
                        try: "set the clock")
                }
                let authority = Authority(certificate: certificate, key: key)
                if permits(authority, names) { return authority }
            }
        }
        emit(.progress(step: "authority", name: nil))
        let authority = try Authority(domains: names, now: now())
        try File.write(try authority.key.pem(), to: keyPath, mode: 0o600)
        try File.write(try authority.certificate.pem(), to: certificatePath, mode: 0o644)
        return authority
    }

    /// Whether its name constraints let it vouch for these names: seen by trying.
    private func permits(_ authority: Authority, _ names: [String]) -> Bool {
        guard let key = try? PrivateKey(), let leaf = try? authority.issue(names: names, key: key, now: now()),
            let chain = try? leaf.pem() + authority.certificate.pem(), let pem = try? key.pem()
        else { return false }
        return (try? checkedCertificate(chain: chain, key: pem, names: names, now: now())) != nil
    }
}
