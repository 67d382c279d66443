import ACME
import CertificateStore
import Glibc

extension CertificateFailure {
    /// Words for answers that the CA would not find: each name with its own reason.
    init(unseen failed: [FailedCheck]) {
        let names = failed.map(\.name).joined(separator: ", ")
        self.init(kind: .validation, error: "the certificate authority would not find the challenge of \(names)")
        cause = failed.map { "\($0.name): \(Self.words($0.fault))" }.joined(separator: "; ")
        `try` = Self.advice(for: failed.map(\.fault)) + ". The certificate authority was not asked; --no-self-check asks it all the same"
    }

    /// The same, with advice for the challenge that the CA could not validate: it is written for http-01.
    func advising(on type: String, after error: any Error) -> CertificateFailure {
        guard case .validation(let failed) = error as? ACMEError, type != "http-01" else { return self }
        guard Set(failed.compactMap(\.problem.name)).isDisjoint(with: ["caa", "rateLimited"]) else { return self }
        var failure = self
        failure.try =
            type == "dns-01"
            ? "look at what the DNS servers have, as with `dig TXT _acme-challenge.\(failed.first?.name ?? "NAME")`, while it runs again"
            : "check that the DNS records, A and AAAA, point to this machine and that port 443 is open, then run `snikket certificate renew`"
        return failure
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
        case .noChallengeProtocol(let address, let port, let reason):
            "what answers at \(address) port \(port) does not speak acme-tls/1: \(reason ?? "it closes the connection")"
        case .wrongCertificate(let address, let port, let names):
            "\(address) port \(port) shows a certificate without the answer, for \(names.isEmpty ? "no name" : names.joined(separator: ", "))"
        case .wrongRecord(let record, let servers, let seconds):
            servers.isEmpty
                ? "\(record) is an alias without an end"
                : servers.map { "\($0.server) (\($0.endpoint)) \(words($0.says, of: record))" }.joined(separator: ", ")
                    + (seconds > 0 ? ", after \(seconds) seconds" : "")
        }
    }

    /// What a DNS server says, as it follows its name.
    private static func words(_ says: DNSServerAnswer.Says, of record: String) -> String {
        switch says {
        case .answer: "has the TXT record \(record)"
        case .alias(let target): "says that \(record) is an alias of \(target)"
        case .noRecord: "has no TXT record \(record)"
        case .noName: "says that there is no name \(record)"
        case .others(let texts): "has \(record) with another text, '\(texts.joined(separator: "' and '"))'"
        case .refusal(let code): "refuses to answer, with \(Self.responseCodes[code] ?? "code \(code)")"
        case .notInCharge: "is not in charge of \(record), and should be"
        case .silence(let errno): "does not answer: \(errno == EAGAIN ? "nothing came in time" : snikket_certs.words(errno))"
        case .nonsense: "sends an answer that cannot be read"
        }
    }

    private static func advice(for faults: [SelfCheckFault]) -> String {
        for case .wrongRecord(let record, let servers, _) in faults {
            let server = servers.first { $0.says != .answer }?.endpoint.split(separator: ":").dropLast().joined(separator: ":") ?? "SERVER"
            return
                "look at what each server has, as with `dig @\(server) TXT \(record)`, and whether the zone's servers are those that its domain names"
        }
        if faults.contains(.noAddress) { return "make the DNS records of these names, then run `snikket certificate renew`" }
        for case .wrongAnswer in faults {
            return "check that the DNS records, A and AAAA, point to this machine and not to another, then run `snikket certificate renew`"
        }
        var port = 80
        for fault in faults {
            switch fault {
            case .wrongCertificate, .noChallengeProtocol:
                return
                    "check that the DNS records, A and AAAA, point to this machine, and that nothing in between takes TLS apart, then run `snikket certificate renew`"
            case .unreachable(_, let closed, _): port = closed
            default: break
            }
        }
        return "check that the DNS records point to this machine and that port \(port) is open in its firewall, then run `snikket certificate renew`"
    }
}
