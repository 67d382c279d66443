import ACME
import CertificateStore

extension CertificateFailure {
    /// Words for answers that the CA would not find: each name with its own reason.
    init(unseen failed: [FailedCheck]) {
        let names = failed.map(\.name).joined(separator: ", ")
        self.init(kind: .validation, error: "the certificate authority would not find the challenge of \(names)")
        cause = failed.map { "\($0.name): \(Self.words($0.fault))" }.joined(separator: "; ")
        `try` = Self.advice(for: failed.map(\.fault)) + ". The certificate authority was not asked; --no-self-check asks it all the same"
    }

    /// Words for names that DNS forbids this CA to issue for.
    init(forbidden names: [ForbiddenName]) {
        let identity = names.first?.identities.first ?? ""
        self.init(kind: .refused, error: "DNS forbids this certificate authority to issue for \(names.map(\.name).joined(separator: ", "))")
        var domains: [String] = []
        for name in names where !domains.contains(name.domain) { domains.append(name.domain) }
        cause = domains.map { domain in
            let allowed = names.first { $0.domain == domain }?.allowed ?? []
            return "the CAA record of \(domain) permits \(allowed.isEmpty ? "nobody" : "only " + allowed.joined(separator: ", "))"
        }.joined(separator: "; ")
        `try` =
            domains.map { "add the record `\($0). CAA 0 issue \"\(identity)\"`" }.joined(separator: ", ")
            + ", or choose another certificate authority"
    }

    private static func words(_ fault: SelfCheckFault) -> String {
        switch fault {
        case .noAddress: "it has no address in DNS (no A and no AAAA record)"
        case .unreachable(let address, let port, let error):
            switch error.kind {
            case .connect where error.errno != 0: "nobody answers at \(address) port \(port): \(snikket_certs.words(error.errno))"
            case .timeout: "nobody answers at \(address) port \(port) within ten seconds"
            case .tooLarge: "\(address) port \(port) answers with something much larger than the challenge"
            default: "\(address) port \(port) does not answer as it should: \(error.text) (curl \(error.code))"
            }
        case .wrongAnswer(let address, let port, let status, let beginning):
            "\(address) port \(port) answers \(status)\(beginning.isEmpty ? "" : " '\(beginning)'") instead of the challenge"
        }
    }

    private static func advice(for faults: [SelfCheckFault]) -> String {
        if faults.contains(.noAddress) { return "make the DNS records of these names, then run `snikket check`" }
        for case .wrongAnswer in faults {
            return "check that the DNS records, A and AAAA, point to this machine and not to another, then run `snikket check`"
        }
        return "check that the DNS records point to this machine and that port 80 is open in its firewall, then run `snikket check`"
    }
}
