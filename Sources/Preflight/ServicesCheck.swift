internal import DNS
internal import Settings

/// Whether the SRV records (RFC 2782, RFC 6120 §3.2, XEP-0368) lead apps and other servers to the right port.
///
/// None is needed as long as the ports are the usual ones.
struct ServicesCheck: Sendable {
    /// A service that may have SRV records.
    struct Wanted: Sendable, Equatable {
        var host: String
        var service: String
        var port: Int
        /// Another port that leads there, for those who reach no other; its records are of less weight.
        var also: Int?
        /// Where it is looked for without a record; nil: without one nobody looks.
        var usual: Int?

        var name: String { "_\(service)._tcp.\(host)" }
    }

    /// What DNS says.
    enum Answer: Sendable, Equatable {
        case records([DNSResponse.Service])
        case failure(DNSError)
    }

    let settings: Settings
    let machine: MachineAddresses

    var wanted: [Wanted] {
        let ports = settings.ports
        let shared = settings.sharesHTTPSPort ? settings.publicHTTPSPort : nil
        var all = [
            Wanted(host: settings.domain, service: "xmpp-client", port: ports.xmppClient, usual: 5222),
            Wanted(host: settings.domain, service: "xmpps-client", port: ports.xmppClientTLS, also: shared, usual: nil),
        ]
        guard settings.federation else { return all }
        for host in [settings.domain, settings.groupsHost] {
            all.append(Wanted(host: host, service: "xmpp-server", port: ports.xmppServer, usual: 5269))
            all.append(Wanted(host: host, service: "xmpps-server", port: ports.xmppServerTLS, also: shared, usual: nil))
        }
        return all
    }

    /// Blocks its thread.
    func ask(_ wanted: Wanted, from resolver: Resolver) -> Answer {
        do throws(DNSError) {
            let answer = try resolver.ask(wanted.name, .service)
            return .records(answer.answers(.service).compactMap(answer.service))
        } catch {
            return .failure(error)
        }
    }

    /// - Parameters:
    ///   - answers: what DNS says of each of ``wanted``.
    ///   - addresses: those of a name that a record leads to; nil when it could not be told.
    func findings(_ answers: [(Wanted, Answer)], addresses: [String: PublishedName]) -> [Finding] {
        var findings: [Finding] = []
        var good: [String] = []
        for (wanted, answer) in answers {
            switch answer {
            case .failure(let error):
                findings.append(
                    Finding(.service, .yellow, "DNS does not tell about \(wanted.name): \(error.words)", try: "run `sudo snikket check` again"))
            case .records(let records) where lacksShared(wanted, records): findings.append(unannounced(wanted, records))
            case .records([]):
                guard let usual = wanted.usual else { continue }
                if settings.isDomainElsewhere, wanted.host == settings.domain {
                    findings.append(
                        problem(
                            wanted, "no SRV record of \(wanted.name) leads to \(settings.webHost), and \(wanted.host) itself is elsewhere",
                            "add this record"))
                    continue
                }
                guard usual != wanted.port else { continue }
                findings.append(
                    problem(
                        wanted, "port \(wanted.port) is not the usual \(usual) for \(wanted.service), and no SRV record leads there",
                        "add this record"))
            case .records(let records):
                if let wrong = wrong(wanted, records, addresses) {
                    findings.append(wrong)
                } else {
                    good.append(wanted.name)
                }
            }
        }
        if findings.isEmpty {
            let what = good.isEmpty ? "no SRV records, and none are needed" : "the SRV records of \(listed(good)) lead to this machine"
            findings.append(Finding(.service, .green, what))
        }
        return findings
    }

    private func wrong(_ wanted: Wanted, _ records: [DNSResponse.Service], _ addresses: [String: PublishedName]) -> Finding? {
        for record in records {
            let target = printable(String(record.target.dropLast()))
            guard !record.target.isEmpty else {
                return problem(wanted, "the SRV record of \(wanted.name) says that there is no such service", "replace it by this one")
            }
            if record.port != wanted.port, record.port != wanted.also {
                return problem(
                    wanted, "the SRV record of \(wanted.name) leads to port \(record.port) instead of \(wanted.port)", "replace it by this one")
            }
            guard let there = addresses[target], there.failure == nil else { continue }
            let found = there.four + there.six
            if found.isEmpty {
                return problem(wanted, "the SRV record of \(wanted.name) leads to \(target), which has no address", "replace it by this one")
            }
            if !machine.isBehindNAT, !found.contains(where: machine.holds) {
                return problem(
                    wanted, "the SRV record of \(wanted.name) leads to \(target), and that is \(listed(found)), not this machine",
                    "replace it by this one")
            }
        }
        return nil
    }

    /// Whether nobody is led to the port that everything can come in on.
    private func lacksShared(_ wanted: Wanted, _ records: [DNSResponse.Service]) -> Bool {
        guard let also = wanted.also else { return false }
        return !records.contains { $0.port == also }
    }

    /// Where there is one record, apps look at no other place: so the usual ports need theirs too.
    private func unannounced(_ wanted: Wanted, _ records: [DNSResponse.Service]) -> Finding {
        let plain = self.wanted.first { $0.host == wanted.host && "\($0.service)".dropFirst(4) == wanted.service.dropFirst(5) }
        let missing =
            records.isEmpty
            ? (plain.map { ["\($0.name). SRV 0 5 \($0.port) \(settings.webHost)."] } ?? []) + [
                "\(wanted.name). SRV 0 5 \(wanted.port) \(settings.webHost)."
            ]
            : []
        return Finding(
            .service, .yellow, "no SRV record of \(wanted.name) leads to port \(wanted.also ?? 0): whoever reaches no other port does not find it",
            try: "add \(missing.isEmpty ? "this record" : "these records, as far as they are not there yet,") at your DNS provider",
            records: missing + ["\(wanted.name). SRV 10 5 \(wanted.also ?? 0) \(settings.webHost)."])
    }

    private func problem(_ wanted: Wanted, _ what: String, _ remedy: String) -> Finding {
        Finding(
            .service, .red, what, try: remedy + " at your DNS provider", records: ["\(wanted.name). SRV 0 5 \(wanted.port) \(settings.webHost)."])
    }
}
