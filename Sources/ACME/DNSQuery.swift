internal import Glibc

/// A question to a DNS server (RFC 1035 §4.1), over UDP, and over TCP when the answer does not fit or none comes.
struct DNSQuery: Sendable {
    /// Types of records (RFC 1035 §3.2.2, RFC 3596 §2.1).
    enum Kind: UInt16, Sendable { case address = 1, nameServer = 2, alias = 5, start = 6, text = 16, address6 = 28 }

    /// With or without a dot at its end.
    var name: String
    var kind: Kind
    /// Whether the server is to ask others: for resolvers.
    var isRecursive: Bool

    /// Asks. Blocks its thread, at most seven seconds.
    func ask(_ server: String) throws(DNSUpdateError) -> DNSResponse {
        for _ in 1...2 {
            do throws(DNSUpdateError) {
                let response = try datagram(server)
                if !response.isTruncated { return response }
                break
            } catch {
                // Silence only: whoever refuses a datagram has no DNS server.
                guard case .connection(EAGAIN) = error else { throw error }
            }
        }
        let message = message(id: .random(in: .min ... .max))
        return try DNSResponse(try DNSConnection.exchange(message, with: server, seconds: 3), to: message)
    }

    private func message(id: UInt16) -> [UInt8] {
        var writer = DNSWriter()
        writer.write(header: id, flags: isRecursive ? 0x0100 : 0, [1, 0, 0, 0])
        writer.write(name: name)
        for value in [kind.rawValue, 1] { writer.write(value) }
        return writer.bytes
    }

    /// One datagram each way. From a port that the kernel chose and with an id that nobody can guess (RFC 5452 §9).
    private func datagram(_ server: String) throws(DNSUpdateError) -> DNSResponse {
        let descriptor = try DNSConnection.connected(to: server, SOCK_DGRAM, seconds: 2)
        defer { close(descriptor) }
        let message = message(id: .random(in: .min ... .max))
        guard send(descriptor, message, message.count, Int32(MSG_NOSIGNAL)) == message.count else { throw .connection(errno: errno) }
        let deadline = ContinuousClock.now + .seconds(2)
        var buffer = [UInt8](repeating: 0, count: 4096)
        while ContinuousClock.now < deadline {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count >= 0 else { throw .connection(errno: errno) }
            // What answers another question is not for us.
            if let response = try? DNSResponse(Array(buffer.prefix(count)), to: message) { return response }
        }
        throw .connection(errno: EAGAIN)
    }
}

/// What a DNS server answered.
struct DNSResponse: Sendable {
    let bytes: [UInt8]
    /// 0 for success, 3 when there is no such name (RFC 1035 §4.1.1).
    let code: Int
    /// Whether the server is in charge of the name.
    let isAuthoritative: Bool
    /// Whether it did not fit.
    let isTruncated: Bool
    let answers: [DNSReader.Record]
    /// What says who is in charge.
    let authority: [DNSReader.Record]

    /// - Parameter query: what was asked: the answer repeats its id and its question.
    init(_ bytes: [UInt8], to query: [UInt8]) throws(DNSUpdateError) {
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
    func answers(_ kind: DNSQuery.Kind) -> [DNSReader.Record] { answers.filter { $0.type == kind.rawValue } }

    /// The name in a record's data, with a dot after each label.
    func name(in record: DNSReader.Record) -> String? {
        var reader = DNSReader(bytes)
        reader.skip(record.data.lowerBound)
        return reader.name()
    }

    /// The text of a TXT record: its pieces, joined (RFC 1035 §3.3.14).
    func text(in record: DNSReader.Record) -> [UInt8] {
        var text: [UInt8] = []
        var at = record.data.lowerBound
        while at < record.data.upperBound {
            let end = min(at + 1 + Int(bytes[at]), record.data.upperBound)
            text += bytes[at + 1..<end]
            at = end
        }
        return text
    }

    /// The address in a record, with a port behind it.
    func endpoint(in record: DNSReader.Record, port: Int) -> String? {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let data = Array(bytes[record.data])
        let isSix = record.type == DNSQuery.Kind.address6.rawValue
        guard data.count == (isSix ? 16 : 4), inet_ntop(isSix ? AF_INET6 : AF_INET, data, &text, socklen_t(text.count)) != nil else { return nil }
        let address = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return isSix ? "[\(address)]:\(port)" : "\(address):\(port)"
    }
}
