import CertificateStore
import DurableFiles
import Glibc
import Settings

/// How `snikket-certs issue` is told to answer challenges.
struct ChallengeArguments: Equatable {
    let arguments: [String]
    /// For its standard input: a key that only the person may read, and the program's user not.
    var input: [UInt8] = []
    /// Whether it listens on a port of the appliance itself.
    var bindsPort = false

    /// - Parameter hasWebServer: whether nginx serves with the appliance's configuration, and so has the ports. When it does not, the program
    ///   answers there by itself.
    /// - Throws: why the person's own part, a program or a file, cannot be used.
    init(_ settings: Settings, _ locations: Locations, hasWebServer: Bool = true) throws(CertificateFailure) {
        // Behind many a router a machine cannot reach its own public address, and the CA can: it is the one to ask.
        let unseen = ["--no-self-check"]
        switch settings.challenge {
        case .http where hasWebServer: arguments = ["--webroot", locations.challenges] + unseen
        case .http:
            arguments = ["--listen", Self.place(settings, port: settings.ports.http)] + unseen
            bindsPort = true
        case .tlsALPN where hasWebServer: arguments = ["--tls-alpn", "unix:" + locations.responderSocket] + unseen
        case .tlsALPN:
            arguments = ["--tls-alpn", Self.place(settings, port: settings.ports.https)] + unseen
            bindsPort = true
        // DNS is the same from everywhere: here a look before the CA's tells when every server has the record.
        case .dns(.hook(let program)):
            guard access(program, X_OK) == 0 else { throw Self.refusal("run the program", program, errno, "SNIKKET_DNS_HOOK") }
            arguments = ["--dns-hook", program]
        case .dns(.update(let server, let keyFile)):
            input = try Self.key(at: keyFile)
            arguments = ["--dns-server", server, "--tsig-key-file", "-"]
        }
    }

    /// Where to listen: the program takes one place.
    private static func place(_ settings: Settings, port: Int) -> String {
        let address = settings.listenAddresses.first ?? (settings.ipv6 ? "::" : "0.0.0.0")
        return address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
    }

    private static func key(at path: String) throws(CertificateFailure) -> [UInt8] {
        let (doing, option) = ("read the key", "SNIKKET_DNS_TSIG_KEY_FILE")
        var facts = stat()
        guard stat(path, &facts) == 0 else { throw refusal(doing, path, errno, option) }
        guard facts.st_mode & 0o077 == 0 else {
            throw refusal(doing, path, "others can read it", "`chmod 600 \(path)`, or correct \(option) in snikket.conf")
        }
        do throws(FileError) { return try File.read(path) } catch { throw refusal(doing, path, error.errno, option) }
    }

    private static func refusal(_ doing: String, _ path: String, _ errno: Int32, _ option: String) -> CertificateFailure {
        refusal(
            doing, path, String(cString: strerror(errno)).lowercased(),
            "\(PersonalFile.advice(on: path, errno: errno)), or correct \(option) in snikket.conf")
    }

    private static func refusal(_ doing: String, _ path: String, _ cause: String, _ advice: String) -> CertificateFailure {
        CertificateFailure(kind: .configuration, error: "cannot \(doing) for the DNS zone", cause: "\(path): \(cause)", try: advice)
    }
}
