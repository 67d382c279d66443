internal import DNS
internal import Settings

/// Whether CAA records (RFC 8659) let the certificate authority issue.
struct IssuersCheck: Sendable {
    let settings: Settings

    /// What well-known authorities go by, by the end of the host in their directory's address. Which of it holds is said by each directory
    /// (RFC 8555 §7.1.1); it is not asked here, for that needs TLS.
    private static let identities: [(host: String, domains: [String])] = [
        ("letsencrypt.org", ["letsencrypt.org"]), ("zerossl.com", ["sectigo.com", "zerossl.com"]), ("buypass.com", ["buypass.com"]),
        ("pki.goog", ["pki.goog"]), ("ssl.com", ["ssl.com"]),
    ]

    /// The authority's domains; nil for one that is not known.
    private func identities(of directory: String) -> [String]? {
        let host = directory.split(separator: "/", omittingEmptySubsequences: false).dropFirst(2).first?.prefix { $0 != ":" } ?? ""
        return Self.identities.first { host == $0.host || host.hasSuffix("." + $0.host) }?.domains
    }

    /// Asks for every name. Blocks its thread.
    func findings(from resolver: Resolver) -> [Finding] {
        guard case .acme(let authorities) = settings.certificates, let directory = authorities.directories.first else { return [] }
        let ours = identities(of: directory)
        var known: [String: CAAPolicy?] = [:]
        var refusals: [(domain: String, allowed: [String])] = []
        do throws(DNSError) {
            for name in settings.certificateNames {
                let closest = try CAAPolicy.closest(to: name) { (domain: String) throws(DNSError) in
                    if let before = known[domain] { return before }
                    let policy = CAAPolicy(in: try resolver.ask(domain, .issuers))
                    known[domain] = policy
                    return policy
                }
                guard let closest, let allowed = closest.policy.issuers(), ours.map({ Set(allowed).isDisjoint(with: $0) }) ?? true else { continue }
                if !refusals.contains(where: { $0.domain == closest.domain }) { refusals.append((closest.domain, allowed.filter { !$0.isEmpty })) }
            }
        } catch {
            return [
                Finding(.caa, .yellow, "DNS does not tell who may issue certificates (CAA): \(error.words)", try: "run `sudo snikket check` again")
            ]
        }
        guard !refusals.isEmpty else {
            return [Finding(.caa, .green, "DNS lets \(ours?.first ?? "every authority") issue certificates")]
        }
        return refusals.map { refusal in
            let whom = refusal.allowed.isEmpty ? "nobody" : "only \(listed(refusal.allowed))"
            guard let ours else {
                return Finding(
                    .caa, .yellow, "the CAA records of \(refusal.domain) let \(whom) issue certificates; what \(directory) goes by is not known here",
                    try: "look whether it is among them")
            }
            return Finding(
                .caa, .red, "the CAA records of \(refusal.domain) let \(whom) issue certificates, and not \(ours[0])",
                try: "add this record at your DNS provider", records: ["\(refusal.domain). CAA 0 issue \"\(ours[0])\""])
        }
    }
}
