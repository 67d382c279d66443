extension Settings {
    /// How the certificate authority is shown that a name is ours (RFC 8555 §8).
    public enum Challenge: Sendable, Equatable {
        /// A file over HTTP, port 80 (RFC 8555 §8.3).
        case http
        /// A certificate of its own over TLS, port 443 (RFC 8737): no other port has to be open.
        case tlsALPN
        /// A TXT record in DNS (RFC 8555 §8.4): no port has to be open at all.
        case dns(DNSChange)
    }

    /// Who changes the DNS zone.
    public enum DNSChange: Sendable, Equatable {
        /// A program of the person's; its path.
        case hook(program: String)
        /// The zone's primary server, asked by dynamic update (RFC 2136): its address with the port, and the file with the key.
        case update(server: String, keyFile: String)
    }
}

extension Settings {
    /// Whether the HTTP port has to be ours. When another challenge than the one by HTTP was chosen, another program may have it: all that
    /// is lost is the way from http:// to https://, and the page that says what a first certificate waits for.
    public var needsHTTPPort: Bool { !webTLS || !certificates.isFromAuthority || challenge == .http }

    /// Whether connections to the HTTPS port are told apart before TLS begins, by the protocol that they ask for (ALPN, RFC 7301).
    public var sortsHTTPSConnections: Bool { answersChallengesOverTLS || sharesHTTPSPort }

    /// Whether the authority's challenges come in there.
    public var answersChallengesOverTLS: Bool { webTLS && certificates.isFromAuthority && challenge == .tlsALPN }
}

extension Settings.CertificateSource {
    /// Whether an authority has to be shown that the names are ours.
    public var isFromAuthority: Bool {
        if case .acme = self { true } else { false }
    }
}

extension Draft {
    /// The values of SNIKKET_CHALLENGE: the challenges' types (RFC 8555 §9.7.8).
    enum ChallengeKind: String, CaseIterable, Sendable {
        case http = "http-01"
        case tlsALPN = "tls-alpn-01"
        case dns = "dns-01"
    }

    /// The challenge, with the pieces put together.
    var wholeChallenge: Settings.Challenge {
        switch challenge {
        case .http: .http
        case .tlsALPN: .tlsALPN
        case .dns:
            if let dnsHook { .dns(.hook(program: dnsHook)) } else { .dns(.update(server: dnsServer ?? "", keyFile: dnsKeyFile ?? "")) }
        }
    }
}

extension Reading {
    /// What the options about challenges have to do with each other.
    mutating func checkChallenge(refused: Set<String>) {
        let (kind, hook, server, key) = ("SNIKKET_CHALLENGE", "SNIKKET_DNS_HOOK", "SNIKKET_DNS_SERVER", "SNIKKET_DNS_TSIG_KEY_FILE")
        guard refused.isDisjoint(with: ["SNIKKET_CERTIFICATE", kind, hook, server, key]) else { return }
        guard draft.certificate == .acme else {
            for option in [kind, hook, server, key] where isGiven(option) { notice(option, "it is used only with SNIKKET_CERTIFICATE=acme") }
            return
        }
        guard draft.challenge == .dns else {
            for option in [hook, server, key] where isGiven(option) { notice(option, "it is used only with \(kind)=dns-01") }
            return
        }
        if isGiven(hook) {
            for option in [server, key] where isGiven(option) { problem(option, .excludedBy(option: hook)) }
        } else if !isGiven(server), !isGiven(key) {
            problem(kind, .needsOneOf([hook, server]))
        } else if !isGiven(key) {
            problem(key, at: server, .missingBeside(option: server))
        } else if !isGiven(server) {
            problem(server, at: key, .missingBeside(option: key))
        }
    }
}
