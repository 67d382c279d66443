import ACME
import CertificateStore

extension CertificateFailure {
    /// Words for an issuance that failed.
    init(describing error: ACMEError) {
        switch error {
        case .transport(let url, let error): self.init(describing: error, url: url)
        case .problem(let problem, let status, let url, let after):
            self.init(describing: problem, status: status, url: url, retryAfter: after)
        case .unexpected(let url, let status, let what): self.init(unexpected: what, status: status, url: url)
        case .noDirectory(let url, let status):
            self.init(
                kind: .configuration, error: "there is no certificate authority at this address", cause: "\(url) answers \(status)",
                try: "check the directory's URL (--directory)")
        case .externalAccountRequired:
            self.init(
                kind: .externalAccount, error: "the certificate authority gives certificates only to accounts that it knows",
                cause: "it requires external account binding",
                try: "give --eab-kid and --eab-key-file with what it shows in your account there, or choose one that does not, such as Let's Encrypt")
        case .unknownProfile(let name, let offered):
            self.init(
                kind: .configuration, error: "the certificate authority has no profile '\(name)'",
                cause: offered.isEmpty ? "it has none at all" : "it has \(offered.joined(separator: ", "))", try: "correct --profile, or leave it out"
            )
        case .unsupported(let feature):
            let words =
                switch feature {
                case .keyChange: "give an account another key"
                case .revocation: "revoke certificates"
                case .renewalInfo: "tell when to renew"
                case .requestWithoutAccount: "change an account that is not known"
                }
            self.init(
                kind: .refused, error: "the certificate authority cannot \(words)", cause: "its directory does not offer it",
                try: "use another certificate authority for this")
        case .noChallenge(let name, let offered):
            self.init(
                kind: .refused, error: "the certificate authority will not validate \(name) in this way",
                cause: "it offers \(offered.isEmpty ? "nothing" : offered.joined(separator: ", "))",
                try: "choose a kind that it offers: --webroot or --listen is http-01, --tls-alpn is tls-alpn-01, --dns-hook or --dns-server is dns-01"
            )
        case .challenge(let name, let error): self.init(describing: error, name: name)
        case .forbidden(let names): self.init(forbidden: names)
        case .selfCheck(let failed): self.init(unseen: failed)
        case .validation(let failed): self.init(failed: failed)
        case .orderFailed(let problem):
            if let problem {
                self.init(describing: problem, status: 400, url: "", retryAfter: nil)
            } else {
                self.init(
                    kind: .refused, error: "the certificate authority cancelled the order", cause: "it gives no reason", try: "try again in an hour")
            }
        case .timedOut(let step, let after):
            self.init(
                kind: .caDown, error: "the certificate authority did not finish in time", cause: "waited for \(Self.words(step))",
                try: Self.later(after), retryAfter: after)
        case .signing(let error):
            self.init(kind: .local, error: "cannot sign for the account", cause: error.reason, try: "check the account's key in the state folder")
        case .cancelled:
            self.init(kind: .local, error: "interrupted", cause: "the program was told to stop", try: "run it again: nothing is half done")
        }
    }

    /// Words for a CA that does not answer.
    init(describing error: TransportError, url: String) {
        let host = String(url.drop { $0 != ":" }.drop { $0 == ":" || $0 == "/" }.prefix { $0 != "/" })
        self.init(kind: .unreachable, error: "cannot reach the certificate authority \(host)", cause: "\(error.text) (curl \(error.code))")
        switch error.kind {
        case .resolve: `try` = "check this machine's DNS, and the directory's URL"
        case .connect: `try` = "check that this machine may connect to the outside, and the directory's URL"
        case .tls: `try` = "check this machine's clock and its CA certificates (package ca-certificates)"
        case .handshake: `try` = "check the directory's URL: this may be no TLS port; else try again later"
        case .timeout, .broken: `try` = "try again later"
        case .tooLarge:
            self.error = "the certificate authority \(host) sends nonsense"
            cause = "an answer of more than 64 kB"
            `try` = "check the directory's URL"
        case .setup:
            kind = .configuration
            self.error = "cannot talk to the certificate authority"
            `try` = "check the directory's URL and the CA bundle"
        case .cancelled: self.init(describing: ACMEError.cancelled)
        }
    }

    private init(unexpected what: ACMEError.Unexpected, status: Int, url: String) {
        self.init(kind: .unreachable, error: "the certificate authority sends nonsense", try: "check the directory's URL, or try again later")
        switch what {
        case .contentType(let type): cause = "\(url) answers \(status) with \(type), which does not belong there"
        case .notPEM: cause = "\(url) answers \(status) with something else than certificates in PEM form"
        case .badLink: cause = "it refers to '\(url.prefix(200))', and only https is possible"
        case .foreignName(let name): cause = "it wants to validate \(name.prefix(200)), which nobody asked for"
        case .notJSON: cause = "\(url) answers \(status) with something else than the ACME protocol's JSON"
        case .missing(let field): cause = "\(url) answers \(status) without \(field)"
        case .redirect: cause = "\(url) redirects (\(status)), which ACME does not permit"
        case .status: cause = "\(url) answers \(status)"
        }
    }

    private init(describing problem: Problem, status: Int, url: String, retryAfter: Int?) {
        var detail = problem.detail.isEmpty ? "it answers \(status) without a reason" : problem.detail
        for part in problem.subproblems {
            detail += "; \(part.identifier.map { "\($0.value): " } ?? "")\(part.detail)"
        }
        self.init(
            kind: .refused, error: "the certificate authority refuses",
            cause: problem.name.map { "\(detail) (\($0))" } ?? detail, retryAfter: retryAfter)
        switch problem.name {
        case "rateLimited":
            kind = .rateLimited
            error = "the certificate authority has had too many requests"
            `try` = Self.later(retryAfter, else: "try again in an hour")
        case "serverInternal": downFor(status)
        case "badNonce":
            kind = .caDown
            error = "the certificate authority accepts no request"
            `try` = "try again later"
        case "caa": `try` = "change the CAA record of the domain so that this certificate authority may issue for it"
        case "rejectedIdentifier", "unsupportedIdentifier":
            kind = .configuration
            error = "the certificate authority gives no certificate for such a name"
            `try` = "check the domain in snikket.conf"
        case "invalidContact", "unsupportedContact":
            kind = .configuration
            error = "the certificate authority does not accept the e-mail address"
            `try` = "correct the admin's e-mail address in snikket.conf"
        case "externalAccountRequired": self.init(describing: ACMEError.externalAccountRequired)
        case "userActionRequired": `try` = "follow what the certificate authority asks for, then run it again"
        default:
            if status >= 500 {
                downFor(status)
            } else if status == 429 {
                kind = .rateLimited
                error = "the certificate authority has had too many requests"
                `try` = Self.later(retryAfter, else: "try again in an hour")
            } else {
                `try` = "check the DNS records, then run `snikket certificate renew`"
            }
        }
    }

    private mutating func downFor(_ status: Int) {
        kind = .caDown
        error = "the certificate authority has trouble of its own"
        `try` = Self.later(retryAfter)
    }

    /// Names that the CA could not validate: each with the CA's own reason.
    private init(failed: [FailedName]) {
        let names = failed.map(\.name).joined(separator: ", ")
        self.init(kind: .validation, error: "the certificate authority could not validate \(names)")
        cause = failed.map { "\($0.name): \(Self.words($0.problem))" }.joined(separator: "; ")
        let kinds = Set(failed.compactMap(\.problem.name))
        if kinds.contains("dns") {
            `try` = "make the DNS records of these names, then run `snikket certificate renew`"
        } else if kinds.contains("connection") {
            `try` = "check that the DNS records point to this machine and that port 80 is open, then run `snikket certificate renew`"
        } else if kinds.contains("caa") {
            `try` = "change the CAA record of the domain so that this certificate authority may issue for it"
        } else if kinds.contains("rateLimited") {
            kind = .rateLimited
            `try` = "try again in an hour"
        } else {
            `try` = "check that the DNS records point to this machine and not to another, then run `snikket certificate renew`"
        }
    }

    private static func words(_ problem: Problem) -> String {
        let detail = problem.detail.isEmpty ? problem.type : problem.detail
        switch problem.name {
        case "connection": return "could not connect: \(detail)"
        case "unauthorized", "incorrectResponse": return "wrong answer: \(detail)"
        case "dns": return "no usable DNS record: \(detail)"
        case "caa": return "forbidden by a CAA record: \(detail)"
        default: return detail
        }
    }

    /// Words for a challenge that could not be put in place.
    init(describing error: ChallengeError, name: String?) {
        switch error {
        case .webroot(let path, let errno):
            self.init(
                kind: .webroot, error: "cannot write the challenge for the certificate authority", cause: "\(path): \(snikket_certs.words(errno))",
                try: "check that the folder exists and that this program's user may write to it")
        case .listen(let address, let errno):
            self.init(
                kind: .listen, error: "cannot listen on \(address) for the certificate authority", cause: snikket_certs.words(errno),
                try: errno == 98 ? "stop what uses this port, or give --webroot with its folder" : "run with the right to use this port")
        case .badAddress(let text):
            self.init(kind: .configuration, error: "'\(text)' is no address with a port", try: "write 192.0.2.1:80, [::]:80 or :80")
        case .hook(let program, let result):
            self.init(kind: .local, error: "the program \(program) did not put the DNS record of \(name ?? "a name") in place")
            if result.errno != 0 {
                kind = .configuration
                cause = snikket_certs.words(result.errno)
                `try` = "check the path, and that this program's user may run it"
            } else {
                let end =
                    result.isTooSlow
                    ? "it took too long" : result.status < 0 ? "signal \(-result.status) ended it" : "it exited with \(result.status)"
                cause = result.output.isEmpty ? end : "\(end): \(result.output)"
                `try` = "run it by hand: \(program) present NAME _acme-challenge.NAME. TEXT"
            }
        case .update(let server, let error): self.init(describing: error, server: server, name: name)
        case .certificate(let reason):
            self.init(kind: .local, error: "cannot make the certificate that answers for \(name ?? "a name")", cause: reason)
        case .badToken:
            self.init(
                kind: .unreachable, error: "the certificate authority sends nonsense", cause: "a token that is no base64url", try: "try again later")
        }
    }

    private static func words(_ step: Step) -> String {
        switch step {
        case .directory: "its directory"
        case .account: "the account"
        case .order: "the order"
        case .authorizations, .challenges: "the challenges"
        case .validation: "the validation of the names"
        case .finalize, .certificate: "the certificate"
        }
    }

    private static func later(_ seconds: Int?, else words: String = "try again later") -> String {
        seconds.map { "try again in \(span($0))" } ?? words
    }

    private static func span(_ seconds: Int) -> String {
        switch seconds {
        case ..<120: "\(seconds) seconds"
        case ..<7200: "\((seconds + 59) / 60) minutes"
        case ..<172_800: "\((seconds + 3599) / 3600) hours"
        default: "\((seconds + 86399) / 86400) days"
        }
    }
}
