import ACME
import ArgumentParser
import CertificateStore
import Curl
import OpenSSL
import ProcessMemory

/// One certificate for all names from a certificate authority.
struct Issue: Job {
    static let configuration = CommandConfiguration(
        commandName: "issue", abstract: "Get a certificate through ACME (RFC 8555), with http-01, tls-alpn-01 or dns-01 challenges.")

    @OptionGroup var authority: AuthorityOptions

    @Option(name: .customLong("name"), help: ArgumentHelp("A name to certify; repeated.", valueName: "name"))
    var names: [String]

    @Option(help: ArgumentHelp("The address that the CA may write to.", valueName: "address"))
    var email: String?

    @Option(help: ArgumentHelp("The folder of the web server that serves port 80, or its acme-challenge folder.", valueName: "dir"))
    var webroot: String?

    @Option(help: ArgumentHelp("Answer http-01 challenges here, when no web server runs.", valueName: "addr:port"))
    var listen: String?

    @Option(
        help: ArgumentHelp(
            "Answer tls-alpn-01 challenges here, when port 80 is closed; unix:/path behind a server that hands connections on.",
            valueName: "addr:port"))
    var tlsAlpn: String?

    @Option(help: ArgumentHelp("Answer dns-01 challenges with this program: PROGRAM present|remove NAME RECORD VALUE.", valueName: "program"))
    var dnsHook: String?

    @Option(help: ArgumentHelp("Answer dns-01 challenges by changing the zone at its primary server (RFC 2136).", valueName: "addr:port"))
    var dnsServer: String?

    @Option(help: ArgumentHelp("The key for that, as tsig-keygen writes it; - for standard input.", valueName: "file"))
    var tsigKeyFile: String?

    @OptionGroup var look: SelfCheckOptions

    @Option(help: ArgumentHelp("Where the account is kept.", valueName: "dir"))
    var state: String

    @Option(help: ArgumentHelp("Where fullchain.pem and privkey.pem go.", valueName: "dir"))
    var output: String

    @OptionGroup var external: ExternalAccountOptions

    @Option(help: ArgumentHelp("One of the CA's certificate profiles.", valueName: "name"))
    var profile: String?

    @Option(help: ArgumentHelp("The chain that ends below this root, where the CA has several.", valueName: "issuer"))
    var preferredChain: String?

    func validate() throws {
        guard [webroot, listen, tlsAlpn, dnsHook, dnsServer].compactMap({ $0 }).count == 1 else {
            throw ValidationError("Give one of --webroot, --listen, --tls-alpn, --dns-hook and --dns-server.")
        }
        guard (dnsServer == nil) == (tsigKeyFile == nil) else { throw ValidationError("--dns-server and --tsig-key-file belong together.") }
    }

    func execute() async throws(CertificateFailure) {
        let names = try validated(names)
        do {
            let lock = try StoreLock(folder: output)
            defer { extendLifetime(lock) }
            let transport = try authority.transport()
            let external = try external.account()
            let solver = RememberedAnswers(try solver(), in: output)
            await solver.removeLeftovers()
            let directory = authority.directory
            let account = Account(state: state, directory: directory)
            let client = authority.client(try account.key(), account: account.url(directory: directory, contact: email), over: transport)
            let key = CertificateKey(names: names)
            let issuance = Issuance(
                client: client, names: names, contact: email, external: external, wishes: wishes(for: names), solver: solver,
                selfCheck: look.check(of: solver.type, isPrivateAuthority: authority.caBundle != nil, over: transport),
                caa: look.caa(isPrivateAuthority: authority.caBundle != nil), makeRequest: key.request, progress: tell)
            let (chain, url) = try await untilInterrupted { try await issuance.run() }
            releaseStartupPages()
            try account.keep(url: url, directory: directory, contact: email)

            // Nothing is put into use unseen: a CA's mistake must not replace a good certificate.
            let pem = try key.pem()
            let line = try certificateLine(chain)
            let leaf = try checkedCertificate(chain: line, key: pem, names: names, now: now())
            let stored = try CertificateStore(folder: output).install(chain: line, key: pem, record: leaf.record.had(from: directory))
            emit(.issued(record: stored.record, fullChain: output + "/fullchain.pem", privateKey: output + "/privkey.pem"))
        } catch {
            throw CertificateFailure(describing: error).advising(on: challengeType, after: error)
        }
    }

    /// The challenge's type (RFC 8555 §9.7.8).
    private var challengeType: String {
        if dnsHook != nil || dnsServer != nil { return "dns-01" }
        return tlsAlpn == nil ? "http-01" : "tls-alpn-01"
    }

    private func wishes(for names: [String]) -> Wishes {
        var wishes = Wishes(profile: profile)
        // What this certificate takes the place of: CAs count that as a renewal (RFC 9773 §5).
        if let old = try? firstCertificate(of: output + "/fullchain.pem"), Set(old.names) == Set(names) {
            wishes.replaces = old.renewalIdentifier
        }
        if let preferredChain {
            wishes.prefers = { pem in
                guard let top = (try? Certificate.chain(pem: pem))?.last else { return false }
                return top.issuer == preferredChain || top.issuer.hasSuffix(" " + preferredChain)
            }
        }
        return wishes
    }

    private func solver() throws -> any ChallengeSolver {
        if let listen { return try Responder(listen: listen) }
        if let tlsAlpn { return try TLSALPNResponder(listen: tlsAlpn) }
        if let dnsServer, let tsigKeyFile { return DynamicUpdate(server: dnsServer, key: try transactionKey(at: tsigKeyFile)) }
        if let dnsHook { return HookSolver(program: dnsHook, patience: .seconds(min(180, authority.timeout))) }
        let webroot = Webroot(webroot ?? ".")
        try webroot.prepare()
        return webroot
    }
}

/// The certificates of what a CA sent, PEM, and nothing else: text around them, and what follows without belonging, is left out.
private func certificateLine(_ pem: [UInt8]) throws(CertificateProblem) -> [UInt8] {
    do {
        return try Certificate.line(of: try Certificate.chain(pem: pem)).reduce(into: []) { $0 += try $1.pem() }
    } catch let error as OpenSSLError {
        throw .unreadableCertificate(error)
    } catch { throw .badChain(reason: "\(error)") }
}

private func tell(_ step: Step, _ name: String?) {
    emit(.progress(step: step.rawValue, name: name))
    switch step {
    // The keys are there; the connection stands; the order is made; the challenges are in place; the CA has the request.
    case .directory, .account, .authorizations, .validation, .certificate: releaseStartupPages()
    case .order, .challenges, .finalize: break
    }
}
