internal import Glibc

/// What a DNS server answered.
public struct DNSResponse: Sendable {
    public let bytes: [UInt8]
    /// 0 for success, 3 when there is no such name (RFC 1035 §4.1.1).
    public let code: Int
    /// Whether the server is in charge of the name.
    public let isAuthoritative: Bool
    /// Whether it did not fit.
    public let isTruncated: Bool
    public let answers: [DNSReader.Record]
    /// What says who is in charge.
    public let authority: [DNSReader.Record]

    /// - Parameter query: what was asked: the answer repeats its id and its question.
    public init(_ bytes: [UInt8], to query: [UInt8]) throws(DNSError) {
        var reader = DNSReader(bytes)
        guard let header = reader.header(), header.flags & 0x8000 != 0, bytes.prefix(2) == query.prefix(2) else { throw .nonsense }
        self.bytes = bytes
        code = header.code
        isAuthoritative = header.flags & 0x0400 != 0
        isTruncated = header.flags & 0x0200 != 0
        // A server that refuses may leave everything else out.
        if header.counts[0] == 0, code != 0 {
            (answers, authority) = ([], [])
            return
        }
        var asked = DNSReader(query)
        _ = asked.header()
        guard header.counts[0] == 1, let name = reader.name(), name == asked.name(), let kind = reader.number(), kind == asked.number(),
            reader.number() == 1
        else { throw .nonsense }
        var sections: [[DNSReader.Record]] = [[], []]
        for section in 0...1 where !isTruncated {
            for _ in 0..<header.counts[section + 1] {
                guard let record = reader.record() else { throw .nonsense }
                sections[section].append(record)
            }
        }
        (answers, authority) = (sections[0], sections[1])
    }

    /// The answers of a kind.
    public func answers(_ kind: DNSQuery.Kind) -> [DNSReader.Record] { answers.filter { $0.type == kind.rawValue } }

    /// The name in a record's data, with a dot after each label.
    public func name(in record: DNSReader.Record) -> String? {
        var reader = DNSReader(bytes)
        reader.skip(record.data.lowerBound)
        return reader.name()
    }

    /// The text of a TXT record: its pieces, joined (RFC 1035 §3.3.14).
    public func text(in record: DNSReader.Record) -> [UInt8] {
        var text: [UInt8] = []
        var at = record.data.lowerBound
        while at < record.data.upperBound {
            let end = min(at + 1 + Int(bytes[at]), record.data.upperBound)
            text += bytes[at + 1..<end]
            at = end
        }
        return text
    }

    /// Where aliases in this answer lead from a name, with a dot after each label; the name itself when there are none.
    public func target(of name: String) -> String {
        var name = name.lowercased()
        if !name.hasSuffix(".") { name += "." }
        for _ in 0..<8 {
            guard let alias = answers(.alias).first(where: { $0.name == name }), let next = self.name(in: alias) else { break }
            name = next
        }
        return name
    }

    /// The address in a record.
    public func address(in record: DNSReader.Record) -> String? {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let data = Array(bytes[record.data])
        let isSix = record.type == DNSQuery.Kind.address6.rawValue
        guard data.count == (isSix ? 16 : 4), inet_ntop(isSix ? AF_INET6 : AF_INET, data, &text, socklen_t(text.count)) != nil else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// The address in a record, with a port behind it.
    public func endpoint(in record: DNSReader.Record, port: Int) -> String? {
        address(in: record).map { $0.contains(":") ? "[\($0)]:\(port)" : "\($0):\(port)" }
    }

    /// What an SRV record says (RFC 2782).
    public struct Service: Sendable, Equatable {
        public var priority: Int
        public var weight: Int
        public var port: Int
        /// With a dot after each label; `""` says that the service is not there.
        public var target: String

        public init(priority: Int, weight: Int, port: Int, target: String) {
            (self.priority, self.weight, self.port, self.target) = (priority, weight, port, target)
        }
    }

    /// The service in an SRV record.
    public func service(in record: DNSReader.Record) -> Service? {
        var reader = DNSReader(bytes)
        reader.skip(record.data.lowerBound)
        guard record.data.count >= 7, let priority = reader.number(), let weight = reader.number(), let port = reader.number(),
            let target = reader.name()
        else { return nil }
        return Service(priority: Int(priority), weight: Int(weight), port: Int(port), target: target)
    }
}
