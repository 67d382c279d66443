internal import DNS
internal import Dispatch
internal import Glibc

/// Looks for a dns-01 answer (RFC 8555 §8.4) the way a CA does: at every server in charge of the record's zone, past all caches, through aliases.
///
/// Servers copy a zone from each other, which takes a while: so the look is repeated until all have the record, or the patience ends.
public struct DNSSelfCheck: SelfCheck {
    private let servers: DNSServers
    private let patience: Duration

    /// - Parameters:
    ///   - resolver: a recursive resolver, `192.0.2.1:53`; nil for the first of /etc/resolv.conf.
    ///   - resolutions: servers whose addresses are not to be looked up, by their names.
    ///   - patience: how long to wait until all servers have the record.
    public init?(resolver: String? = nil, resolutions: [Resolution] = [], patience: Duration = .seconds(120)) {
        guard let resolver = resolver ?? systemResolvers().first else { return nil }
        servers = DNSServers(resolver: resolver, resolutions: resolutions)
        self.patience = patience
    }

    public func check(_ answer: ChallengeAnswer) async -> SelfCheckVerdict {
        let start = ContinuousClock.now
        let (record, value) = ("_acme-challenge.\(answer.name).", Array(base64url(answer.digest).utf8))
        var inCharge: [String: [DNSServers.Server]] = [:]
        var pause = Duration.milliseconds(100)
        while true {
            let verdict = await look(for: value, at: record, &inCharge, waited: start.duration(to: .now))
            guard case .fault = verdict, start.duration(to: .now) + pause < patience else { return verdict }
            do { try await Task.sleep(for: pause) } catch { return .unknown }
            pause = min(pause * 2, .seconds(5))
        }
    }

    /// One look, along the aliases: at most eight of them (RFC 1034 §3.6.2 sets no limit; resolvers stop about there).
    private func look(
        for value: [UInt8], at first: String, _ inCharge: inout [String: [DNSServers.Server]], waited: Duration
    ) async -> SelfCheckVerdict {
        var record = first
        for _ in 0...8 {
            let found = inCharge[record]
            guard let places = if let found { found } else { await servers.inCharge(of: record) } else { return .unknown }
            inCharge[record] = places
            let said = await ask(places, for: value, at: record)
            let wrong = said.filter { $0.says.isWrong }
            let targets = Set(said.compactMap { if case .alias(let target) = $0.says { target } else { nil } })
            let heard = said.filter { !$0.says.isSilence }
            if !wrong.isEmpty || targets.count > 1 { return Self.fault(record, heard, waited) }
            guard let target = targets.first else {
                if said.contains(where: { $0.says == .answer }) { return .found }
                // Nobody refuses, nobody answers: mostly a network that lets DNS through to one resolver only.
                return heard.isEmpty ? .unknown : Self.fault(record, heard, waited)
            }
            record = target
        }
        return Self.fault(first, [], waited)
    }

    /// Names come from strangers, and end on terminals and pages.
    private static func fault(_ record: String, _ heard: [DNSServerAnswer], _ waited: Duration) -> SelfCheckVerdict {
        let servers = heard.map { one in
            var one = one
            one.server = printable(one.server)
            if case .alias(let target) = one.says { one.says = .alias(printable(target)) }
            return one
        }
        return .fault(.wrongRecord(record: printable(record), servers: servers, seconds: Int(waited.components.seconds)))
    }

    private func ask(_ places: [DNSServers.Server], for value: [UInt8], at record: String) async -> [DNSServerAnswer] {
        await withTaskGroup(of: (Int, DNSServerAnswer).self) { group in
            for (index, place) in places.enumerated() {
                group.addTask {
                    let says = await withCheckedContinuation { continuation in
                        DispatchQueue.global().async { continuation.resume(returning: Self.ask(place.endpoint, for: value, at: record)) }
                    }
                    return (index, DNSServerAnswer(server: String(place.name.dropLast()), endpoint: place.endpoint, says: says))
                }
            }
            var said: [(Int, DNSServerAnswer)] = []
            for await one in group { said.append(one) }
            return said.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    /// What one server says of a record.
    private static func ask(_ server: String, for value: [UInt8], at record: String) -> DNSServerAnswer.Says {
        do throws(DNSError) {
            let response = try DNSQuery(name: record, kind: .text, isRecursive: false).ask(server)
            guard response.code == 0 || response.code == 3 else { return .refusal(code: response.code) }
            // A server may follow an alias by itself; but who is in charge of the target is asked about it.
            var name = record
            for _ in 0...8 {
                guard let alias = response.answers(.alias).first(where: { $0.name == name }), let target = response.name(in: alias) else { break }
                name = target
            }
            if name != record { return .alias(name) }
            let texts = response.answers(.text).filter { $0.name == name }.map { response.text(in: $0) }
            if texts.contains(value) { return .answer }
            guard response.isAuthoritative else { return .notInCharge }
            guard texts.isEmpty else { return .others(texts.prefix(3).map { printable(String(decoding: $0.prefix(60), as: UTF8.self)) }) }
            return response.code == 3 ? .noName : .noRecord
        } catch {
            if case .connection(let code) = error { return .silence(errno: code) }
            return .nonsense
        }
    }
}

/// What a DNS server that is in charge says of a TXT record.
public struct DNSServerAnswer: Sendable, Equatable {
    /// The server's name, without a dot at its end.
    public var server: String
    /// Its address, and the port.
    public var endpoint: String
    public var says: Says

    public enum Says: Sendable, Equatable {
        /// The record is there, with the answer to the challenge.
        case answer
        /// The name stands for another one, where to look.
        case alias(String)
        /// The name is there, without such a record.
        case noRecord
        /// There is no such name.
        case noName
        /// The record has other texts, shortened and without control characters.
        case others([String])
        /// It refuses to answer (RFC 1035 §4.1.1).
        case refusal(code: Int)
        /// It is named as being in charge of the zone, and is not.
        case notInCharge
        /// No answer; the errno, EAGAIN when none came in time.
        case silence(errno: Int32)
        /// The answer cannot be read.
        case nonsense

        /// Whether a CA that asks this server would get something else than the answer. From one that refuses it goes on to the next.
        var isWrong: Bool {
            switch self {
            case .noRecord, .noName, .others: true
            case .answer, .alias, .refusal, .notInCharge, .silence, .nonsense: false
            }
        }

        var isSilence: Bool { if case .silence = self { true } else { false } }
    }
}
