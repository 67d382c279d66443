public import DNS
internal import Dispatch
internal import Glibc

/// The key that signs DNS messages (RFC 8945), with HMAC-SHA256.
public struct TransactionKey: Sendable {
    /// As the server calls it.
    public var name: String
    let mac: @Sendable ([UInt8]) throws(SigningError) -> [UInt8]

    public init(name: String, mac: @escaping @Sendable ([UInt8]) throws(SigningError) -> [UInt8]) {
        self.name = name
        self.mac = mac
    }

    private static let algorithm = "hmac-sha256."
    /// Seconds that the clocks may differ.
    private static let fudge: UInt16 = 300

    /// The message with its TSIG record at the end, and the MAC that the response is bound to (RFC 8945 §4.3.3).
    func signed(_ message: [UInt8], now: Int) throws(SigningError) -> (bytes: [UInt8], mac: [UInt8]) {
        let mac = try mac(message + variables(time: UInt64(now), fudge: Self.fudge, error: 0, other: []))
        var writer = DNSWriter()
        writer.write(name: name)
        for value in [250, 255] as [UInt16] { writer.write(value) }
        writer.write(UInt32(0))
        var data = DNSWriter()
        data.write(name: Self.algorithm)
        data.write((0..<6).map { UInt8(truncatingIfNeeded: UInt64(now) >> UInt64(40 - 8 * $0)) })
        data.write(Self.fudge)
        data.write(UInt16(mac.count))
        data.write(mac)
        data.write(message.prefix(2))
        for value in [0, 0] as [UInt16] { data.write(value) }
        writer.write(UInt16(data.bytes.count))
        writer.write(data.bytes)
        var bytes = message
        // One more additional record.
        bytes[11] += 1
        return (bytes + writer.bytes, mac)
    }

    /// Whether a response was signed with this key, as the answer to the request with this MAC (RFC 8945 §5.3).
    func accepts(_ response: [UInt8], to request: [UInt8], record: DNSReader.Record, now: Int) -> Bool {
        var reader = DNSReader(response)
        reader.skip(record.data.lowerBound)
        guard record.type == 250, record.name == name.lowercased() + (name.hasSuffix(".") ? "" : "."), reader.name() == Self.algorithm,
            let high = reader.number(), let middle = reader.number(), let low = reader.number(), let fudge = reader.number(),
            let size = reader.number(), size == 32, reader.at + 32 + 6 <= response.count
        else { return false }
        let time = UInt64(high) << 32 | UInt64(middle) << 16 | UInt64(low)
        let theirs = Array(response[reader.at..<reader.at + 32])
        reader.skip(32)
        guard let id = reader.number(), let error = reader.number(), let length = reader.number(), error == 0,
            // The record's own length says the same, and nothing follows it (RFC 8945 §5.1).
            reader.at + Int(length) == record.data.upperBound, record.data.upperBound == response.count, abs(Int(time) - now) <= Int(fudge)
        else { return false }
        let other = Array(response[reader.at..<reader.at + Int(length)])
        var unsigned = Array(response[..<record.start])
        (unsigned[0], unsigned[1]) = (UInt8(id >> 8), UInt8(id & 0xff))
        guard unsigned[11] > 0 else { return false }
        unsigned[11] -= 1
        var message = DNSWriter()
        message.write(UInt16(request.count))
        message.write(request)
        message.write(unsigned)
        message.write(variables(time: time, fudge: fudge, error: error, other: other))
        guard let ours = try? mac(message.bytes), ours.count == theirs.count else { return false }
        return zip(ours, theirs).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private func variables(time: UInt64, fudge: UInt16, error: UInt16, other: [UInt8]) -> [UInt8] {
        var writer = DNSWriter()
        writer.write(name: name)
        writer.write(UInt16(255))
        writer.write(UInt32(0))
        writer.write(name: Self.algorithm)
        writer.write((0..<6).map { UInt8(truncatingIfNeeded: time >> UInt64(40 - 8 * $0)) })
        for value in [fudge, error, UInt16(other.count)] { writer.write(value) }
        writer.write(other)
        return writer.bytes
    }
}

/// Answers dns-01 (RFC 8555 §8.4) by changing the zone at its primary server (RFC 2136), over TCP.
public struct DynamicUpdate: ChallengeSolver {
    private let server: String
    private let key: TransactionKey
    private let time: any TimeSource
    public var type: String { "dns-01" }

    /// - Parameter server: the zone's primary server, `192.0.2.1:53` or `[2001:db8::1]:53`.
    public init(server: String, key: TransactionKey, time: any TimeSource = SystemTime()) {
        self.server = server
        self.key = key
        self.time = time
    }

    public func present(_ answer: ChallengeAnswer) async throws(ChallengeError) {
        try await change(answer, isPresent: true)
    }

    public func remove(_ answer: ChallengeAnswer) async -> Bool {
        (try? await change(answer, isPresent: false)) != nil
    }

    private func change(_ answer: ChallengeAnswer, isPresent: Bool) async throws(ChallengeError) {
        let record = "_acme-challenge.\(answer.name)."
        let result = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(
                    returning: Result { () throws(DNSUpdateError) in
                        let zone = try zone(of: record)
                        try update(zone: zone, record: record, text: base64url(answer.digest), isPresent: isPresent)
                    })
            }
        }
        do throws(DNSUpdateError) { try result.get() } catch { throw .update(server: server, error) }
    }

    /// The zone that a name is in: the owner of the SOA record that the server shows when asked for the name's.
    private func zone(of record: String) throws(DNSUpdateError) -> String {
        var writer = DNSWriter()
        let id = UInt16.random(in: 0...UInt16.max)
        writer.write(header: id, flags: 0, [1, 0, 0, 0])
        writer.write(name: record)
        for value in [6, 1] as [UInt16] { writer.write(value) }
        let (header, records, _) = try exchange(writer.bytes, id: id)
        // 3: there is no such name, which is what one expects.
        guard header.code == 0 || header.code == 3 else { throw .server(.refused(code: header.code)) }
        guard header.flags & 0x0400 != 0, let soa = records.first(where: { $0.type == 6 }) else { throw .server(.noZone) }
        return soa.name
    }

    private func update(zone: String, record: String, text: String, isPresent: Bool) throws(DNSUpdateError) {
        var writer = DNSWriter()
        let id = UInt16.random(in: 0...UInt16.max)
        writer.write(header: id, flags: 5 << 11, [1, 0, 1, 0])
        writer.write(name: zone)
        for value in [6, 1] as [UInt16] { writer.write(value) }
        writer.write(name: record)
        writer.write(UInt16(16))
        // Added with class IN; of class NONE, this very record is taken away (RFC 2136 §2.5.4).
        writer.write(UInt16(isPresent ? 1 : 254))
        writer.write(UInt32(isPresent ? 30 : 0))
        writer.write(UInt16(text.utf8.count + 1))
        writer.write([UInt8(text.utf8.count)] + text.utf8)
        let now = time.date()
        let signed: (bytes: [UInt8], mac: [UInt8])
        do { signed = try key.signed(writer.bytes, now: now) } catch { throw .signing(error) }
        let (header, records, response) = try exchange(signed.bytes, id: id)
        guard header.code == 0 else { throw .server(.refused(code: header.code)) }
        guard header.counts[3] > 0, let last = records.last, key.accepts(response, to: signed.mac, record: last, now: now) else { throw .notSigned }
    }

    /// One message each way; what the answer holds after the question.
    private func exchange(_ message: [UInt8], id: UInt16) throws(DNSUpdateError) -> (DNSReader.Header, [DNSReader.Record], [UInt8]) {
        do throws(DNSError) {
            let response = try DNSConnection.exchange(message, with: server)
            let (header, records) = try DNSReader.message(response, id: id)
            return (header, records, response)
        } catch {
            throw .server(error)
        }
    }
}

/// Why a zone could not be changed.
public enum DNSUpdateError: Error, Sendable, Equatable {
    /// The server does not answer as it has to.
    case server(DNSError)
    /// The answer does not carry the key's signature.
    case notSigned
    case signing(SigningError)
}
