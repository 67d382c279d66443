import CertificateStore
import Glibc
import Settings

/// What `snikket-certs` is told: its arguments, and what it reads on standard input.
struct CertificateJobs: Sendable {
    let settings: Settings
    let locations: Locations
    /// Whether a web server answers on the port that the CA asks; else snikket-certs does that itself.
    var hasWebServer = true

    struct Job: Sendable, Equatable {
        var arguments: [String]
        /// A secret: it stands on no command line.
        var input: [UInt8] = []
        /// Whether it reads files that only we can read.
        var asOurselves = false
        /// Whether it listens on a port below 1024.
        var bindsPort = false
    }

    private var names: [String] { settings.certificateNames.flatMap { ["--name", $0] } }

    /// A certificate from an authority.
    func issue(from directory: String, of authorities: Settings.Authorities) throws(CertificateFailure) -> Job {
        let challenge = try ChallengeArguments(settings, locations, hasWebServer: hasWebServer)
        var job = Job(
            arguments: ["issue"] + place(directory, authorities) + ["--email", settings.adminEmail, "--state", locations.acme]
                + challenge.arguments + ["--output", locations.certificates] + names, input: challenge.input, bindsPort: challenge.bindsPort)
        if let file = authorities.externalAccounts, let account = try ExternalAccountFile(path: file).account(at: directory) {
            job.arguments += ["--eab-kid", account.keyID, "--eab-key-file", "-"]
            // A line of its own, before what else there is.
            job.input = Array((account.key + "\n").utf8) + job.input
        }
        return job
    }

    /// The person's own files.
    func inspect(fullChain: String, privateKey: String) -> Job {
        Job(
            arguments: ["inspect", "--fullchain", fullChain, "--key", privateKey, "--output", locations.certificates] + names,
            asOurselves: true)
    }

    /// A certificate of our own authority.
    var `internal`: Job {
        let addresses = settings.domain == "localhost" ? ["--name", "127.0.0.1"] : []
        return Job(arguments: ["internal", "--state", locations.certificates, "--output", locations.certificates] + names + addresses)
    }

    /// That authority's own certificate, as `snikket-certs internal` keeps it.
    var internalAuthority: String { locations.certificates + "/authority/ca.pem" }

    /// When the CA wants a certificate to be renewed.
    func renewal(of fullChain: String, from directory: String, of authorities: Settings.Authorities) -> Job {
        Job(arguments: ["renewal"] + place(directory, authorities) + ["--fullchain", fullChain, "--timeout", "60"])
    }

    /// Declares a certificate void, with its own key: any CA takes that (RFC 8555 §7.6).
    func revoke(_ stored: CertificateStore.Stored, reason: RevocationReason, from directory: String, of authorities: Settings.Authorities) -> Job {
        Job(
            arguments: ["revoke"] + place(directory, authorities)
                + ["--fullchain", stored.fullChain, "--key", stored.privateKey, "--reason", reason.rawValue, "--timeout", "120"])
    }

    private func place(_ directory: String, _ authorities: Settings.Authorities) -> [String] {
        ["--directory", directory] + (authorities.caBundle.map { ["--ca-bundle", $0] } ?? [])
    }
}
