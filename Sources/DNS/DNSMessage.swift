/// Writes DNS messages (RFC 1035 §4.1), uncompressed.
public struct DNSWriter {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    public mutating func write(_ value: UInt16) { bytes += [UInt8(value >> 8), UInt8(value & 0xff)] }
    public mutating func write(_ value: UInt32) { for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(value >> shift & 0xff)) } }
    public mutating func write(_ more: some Sequence<UInt8>) { bytes += more }

    /// A name: lower case, each label with its length in front.
    public mutating func write(name: String) {
        for label in name.lowercased().split(separator: ".") {
            let label = label.utf8.prefix(63)
            bytes.append(UInt8(label.count))
            bytes += label
        }
        bytes.append(0)
    }

    /// ID, flags and the four counts.
    public mutating func write(header id: UInt16, flags: UInt16, _ counts: [UInt16]) {
        write(id)
        write(flags)
        for count in counts { write(count) }
    }
}

/// Reads DNS messages; every read says nil past the end.
public struct DNSReader {
    public let bytes: [UInt8]
    public private(set) var at = 0

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public struct Record: Sendable {
        /// Lower case, with a dot after each label.
        public var name: String
        public var type: UInt16
        /// Where it begins, and its data.
        public var start: Int
        public var data: Range<Int>
    }

    public struct Header: Sendable {
        public var id: UInt16
        public var flags: UInt16
        public var counts: [Int]
        /// 0 for success (RFC 1035 §4.1.1, RFC 2136 §2.2).
        public var code: Int { Int(flags & 15) }
    }

    public mutating func header() -> Header? {
        guard let id = number(), let flags = number() else { return nil }
        var counts: [Int] = []
        for _ in 0..<4 {
            guard let count = number() else { return nil }
            counts.append(Int(count))
        }
        return Header(id: id, flags: flags, counts: counts)
    }

    /// The header of a response to the request with this ID, and everything behind its questions: answers, authority, additional.
    public static func message(_ bytes: [UInt8], id: UInt16) throws(DNSError) -> (header: Header, records: [Record]) {
        var reader = DNSReader(bytes)
        guard let header = reader.header(), header.id == id, header.flags & 0x8000 != 0 else { throw .nonsense }
        for _ in 0..<header.counts[0] where !reader.question() { throw .nonsense }
        var records: [Record] = []
        for _ in 0..<header.counts[1...].reduce(0, +) {
            guard let record = reader.record() else { throw .nonsense }
            records.append(record)
        }
        return (header, records)
    }

    public mutating func question() -> Bool { name() != nil && number() != nil && number() != nil }

    public mutating func record() -> Record? {
        let start = at
        guard let name = name(), let type = number(), number() != nil, number() != nil, number() != nil, let length = number(),
            at + Int(length) <= bytes.count
        else { return nil }
        defer { at += Int(length) }
        return Record(name: name, type: type, start: start, data: at..<at + Int(length))
    }

    public mutating func number() -> UInt16? {
        guard at + 2 <= bytes.count else { return nil }
        defer { at += 2 }
        return UInt16(bytes[at]) << 8 | UInt16(bytes[at + 1])
    }

    public mutating func skip(_ count: Int) { at += count }

    /// A name, following pointers backwards only (RFC 1035 §4.1.4): so it ends.
    public mutating func name() -> String? {
        var text = ""
        var place = at
        var lowest = at
        var hasJumped = false
        while place < bytes.count, text.utf8.count <= 255 {
            let length = Int(bytes[place])
            if length == 0 {
                if !hasJumped { at = place + 1 }
                return text
            }
            if length & 0xc0 == 0xc0 {
                guard place + 1 < bytes.count else { return nil }
                let target = (length & 0x3f) << 8 | Int(bytes[place + 1])
                guard target < lowest else { return nil }
                if !hasJumped { at = place + 2 }
                hasJumped = true
                lowest = target
                place = target
            } else {
                guard length < 64, place + 1 + length <= bytes.count else { return nil }
                text += String(decoding: bytes[place + 1..<place + 1 + length], as: UTF8.self).lowercased() + "."
                place += 1 + length
            }
        }
        return nil
    }
}
