import ACME
import ArgumentParser
import CertificateStore
import Curl
import OpenSSL
import SystemPackage

/// One certificate for all names from a certificate authority.
struct Issue: Job {
    static let configuration = CommandConfiguration(
        commandName: "issue", abstract: "Get a certificate through ACME (RFC 8555), with http-01 challenges.")

    @Option(help: ArgumentHelp("The CA's directory.", valueName: "url"))
    var directory: String

    @Option(help: ArgumentHelp("Roots to trust when talking to the CA, instead of the system's, PEM.", valueName: "file"))
    var caBundle: String?

    @Option(name: .customLong("name"), help: ArgumentHelp("A name to certify; repeated.", valueName: "name"))
    var names: [String]

    @Option(help: ArgumentHelp("The address that the CA may write to.", valueName: "address"))
    var email: String?

    @Option(help: ArgumentHelp("The folder of the web server that serves port 80, or its acme-challenge folder.", valueName: "dir"))
    var webroot: String?

    @Option(help: ArgumentHelp("Answer challenges here, when no web server runs.", valueName: "addr:port"))
    var listen: String?

    @OptionGroup var look: SelfCheckOptions

    @Option(help: ArgumentHelp("Where the account is kept.", valueName: "dir"))
    var state: String

    @Option(help: ArgumentHelp("Where fullchain.pem and privkey.pem go.", valueName: "dir"))
    var output: String

    @Option(help: ArgumentHelp("Give up after this time.", valueName: "seconds"))
    var timeout = 300

    @Flag(help: ArgumentHelp("Tell of every request on standard error.", visibility: .hidden))
    var trace = false

    func validate() throws {
        guard (webroot == nil) != (listen == nil) else { throw ValidationError("Give either --webroot or --listen.") }
        guard directory.lowercased().hasPrefix("https://") else { throw ValidationError("The directory has to be an https URL.") }
        guard timeout > 0 else { throw ValidationError("--timeout has to be positive.") }
    }

    func execute() async throws(CertificateFailure) {
        let names = try validated(names)
        do {
            let lock = try StoreLock(folder: output)
            defer { extendLifetime(lock) }
            if let caBundle { _ = try read(caBundle, what: "CA bundle") }
            let solver = try solver()
            let account = Account(state: state, directory: directory)
            let transport = try CurlTransport(roots: caBundle, userAgent: "snikket-certs/1", observe: trace ? traced : nil)
            let client = Client(
                directory: directory, account: account.url(directory: directory, contact: email), transport: transport,
                signer: try account.key(), limit: .seconds(timeout))
            let key = CertificateKey(names: names)
            let issuance = Issuance(
                client: client, names: names, contact: email, solver: solver,
                selfCheck: look.check(isPrivateAuthority: caBundle != nil, over: transport), makeRequest: key.request, progress: tell)
            let (chain, url) = try await issuance.run()
            try account.keep(url: url, directory: directory, contact: email)

            // Nothing is put into use unseen: a CA's mistake must not replace a good certificate.
            let pem = try key.pem()
            let leaf = try checkedCertificate(chain: chain, key: pem, names: names, now: now())
            let stored = try CertificateStore(folder: output).install(chain: chain, key: pem, record: leaf.record)
            emit(.issued(record: stored.record, fullChain: output + "/fullchain.pem", privateKey: output + "/privkey.pem"))
        } catch {
            throw CertificateFailure(describing: error)
        }
    }

    private func solver() throws(ChallengeError) -> any ChallengeSolver {
        if let listen { return try Responder(listen: listen) }
        let webroot = Webroot(webroot ?? ".")
        try webroot.prepare()
        return webroot
    }
}

private func tell(_ step: Step, _ name: String?) {
    emit(.progress(step: step.rawValue, name: name))
}

private func traced(_ record: RequestRecord) {
    let line = "\(record.status) \(record.method) \(record.url)\(record.isHTTP2 ? " h2" : "")\(record.newConnections > 0 ? " new connection" : "")\n"
    _ = try? FileDescriptor.standardError.writeAll(Array(line.utf8))
}
