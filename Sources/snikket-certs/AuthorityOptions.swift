import ACME
import ArgumentParser
import CertificateStore
import Curl
import OpenSSL
import SystemPackage

/// Which certificate authority, and how to talk to it.
struct AuthorityOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The CA's directory.", valueName: "url"))
    var directory: String

    @Option(help: ArgumentHelp("Roots to trust when talking to the CA, instead of the system's, PEM.", valueName: "file"))
    var caBundle: String?

    @Option(help: ArgumentHelp("Give up after this time.", valueName: "seconds"))
    var timeout = 300

    @Option(help: ArgumentHelp("Give up waiting for one answer after this time; it is asked for three times at most.", valueName: "seconds"))
    var answerTimeout = 40

    @Flag(help: ArgumentHelp("Tell of every request on standard error.", visibility: .hidden))
    var trace = false

    func validate() throws {
        guard directory.lowercased().hasPrefix("https://") else { throw ValidationError("The directory has to be an https URL.") }
        for (name, value) in [("--timeout", timeout), ("--answer-timeout", answerTimeout)] where !(1...86400).contains(value) {
            throw ValidationError("\(name) has to be between 1 and 86400 seconds.")
        }
    }

    func transport() throws -> CurlTransport {
        if let caBundle { _ = try read(caBundle, what: "CA bundle") }
        return try CurlTransport(roots: caBundle, userAgent: "snikket-certs/1", observe: trace ? traced : nil)
    }

    /// A client that signs with this key.
    func client(_ signer: any Signer, account: String? = nil, over transport: CurlTransport) -> Client {
        Client(
            directory: directory, account: account, transport: transport, signer: signer, limit: .seconds(timeout),
            patience: .seconds(answerTimeout))
    }
}

/// An account that was arranged with the CA beforehand.
struct ExternalAccountOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The key identifier that the CA gave (external account binding).", valueName: "id"))
    var eabKid: String?

    @Option(help: ArgumentHelp("A file with the MAC key that the CA gave, base64url; - for a line of standard input.", valueName: "file"))
    var eabKeyFile: String?

    func validate() throws {
        guard (eabKid == nil) == (eabKeyFile == nil) else { throw ValidationError("--eab-kid and --eab-key-file belong together.") }
    }

    func account() throws(CertificateFailure) -> ExternalAccount? {
        guard let eabKid, let eabKeyFile else { return nil }
        let text = eabKeyFile == "-" ? try lineOfStandardInput(what: "MAC key") : try read(eabKeyFile, what: "MAC key")
        guard let key = bytes(base64url: String(decoding: text, as: UTF8.self)), key.count >= 16 else {
            throw CertificateFailure(
                kind: .configuration, error: "cannot use the MAC key", cause: "\(eabKeyFile) holds no base64url text of at least 16 bytes",
                try: "put the key into it exactly as the certificate authority shows it")
        }
        return ExternalAccount(keyID: eabKid, mac: MACKey(key).signature)
    }
}

private func traced(_ record: RequestRecord) {
    let line = "\(record.status) \(record.method) \(record.url)\(record.isHTTP2 ? " h2" : "")\(record.newConnections > 0 ? " new connection" : "")\n"
    _ = try? FileDescriptor.standardError.writeAll(Array(line.utf8))
}
