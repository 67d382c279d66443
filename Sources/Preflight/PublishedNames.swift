internal import DNS

/// What DNS tells the world about a name.
struct PublishedName: Sendable, Equatable {
    var name: String
    /// Where its aliases lead; nil without any.
    var alias: String?
    var four: [String] = []
    var six: [String] = []
    /// Whether the name, or the one that its alias leads to, is there at all.
    var exists = true
    /// Why nothing could be learnt; nil when DNS answered.
    var failure: DNSError?

    /// Asks for both kinds of address, and along aliases as far as the answers do not go themselves. Blocks its thread.
    init(_ name: String, from resolver: Resolver) {
        self.name = name
        do throws(DNSError) {
            var target = name + "."
            for _ in 0..<8 {
                let four = try resolver.ask(target, .address)
                let next = four.target(of: target)
                self.four = four.answers(.address).filter { $0.name == next }.compactMap(four.address)
                exists = four.code != 3
                target = next
                // A resolver follows aliases; a server that is only in charge of a part of them does not.
                if !self.four.isEmpty || four.answers(.alias).isEmpty { break }
            }
            if target != name + "." { alias = printable(String(target.dropLast())) }
            let six = try resolver.ask(target, .address6)
            self.six = six.answers(.address6).filter { $0.name == six.target(of: target) }.compactMap(six.address)
        } catch {
            failure = error
        }
    }

    init(name: String, alias: String? = nil, four: [String] = [], six: [String] = [], exists: Bool = true, failure: DNSError? = nil) {
        (self.name, self.alias, self.four, self.six, self.exists, self.failure) = (name, alias, four, six, exists, failure)
    }
}

extension DNSError {
    /// Whether nobody answered at all.
    var isSilence: Bool { if case .connection = self { true } else { false } }

    /// In words.
    var words: String {
        switch self {
        case .connection(errno: 11): "no answer within some seconds"
        case .connection(let code): errorText(code)
        case .badAddress: "that is no address with a port"
        case .nonsense: "the answer cannot be read"
        case .noZone: "there is no such zone"
        case .refused(code: 2): "SERVFAIL: the servers in charge of the domain do not answer, or its signatures (DNSSEC) are wrong"
        case .refused(code: 5): "REFUSED: the server does not answer this machine"
        case .refused(let code): "code \(code)"
        }
    }
}
