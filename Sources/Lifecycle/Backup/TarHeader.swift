/// A block of a tar archive in the ustar interchange format (POSIX.1-2017, pax): only what our backups have in them.
///
/// We write and read it ourselves because each file's sum, its header and its content have to come from one and the same reading, and so
/// that nothing but what is needed is understood. `tar --zstd -x` reads it as well.
struct TarHeader: Equatable {
    static let blockSize = 512

    enum Kind: UInt8 {
        case file = 0x30
        case link = 0x32
        case folder = 0x35
        /// Records for the next header: a path that is too long, a size that is too large (pax).
        case extended = 0x78
    }

    var kind: Kind
    var path: String
    var target = ""
    var size: Int
    var mode: UInt32
    var owner: String
    var modified: Int

    /// A path longer than the field, or a size of 8 GiB and more, needs records before the header.
    static func fits(path: String) -> Bool { path.utf8.count <= 100 }
    static func fits(size: Int) -> Bool { size < 1 << 33 }

    /// The block.
    var bytes: [UInt8] {
        var block = [UInt8](repeating: 0, count: Self.blockSize)
        func put(_ text: String, _ offset: Int, _ length: Int) {
            for (index, byte) in text.utf8.prefix(length).enumerated() { block[offset + index] = byte }
        }
        func put(_ number: Int, _ offset: Int, _ length: Int) {
            let digits = String(max(0, number), radix: 8)
            put(String(repeating: "0", count: max(0, length - 1 - digits.utf8.count)) + digits, offset, length - 1)
        }
        put(path, 0, 100)
        put(Int(mode), 100, 8)
        put(0, 108, 8)
        put(0, 116, 8)
        put(Self.fits(size: size) ? size : 0, 124, 12)
        put(modified, 136, 12)
        block[156] = kind.rawValue
        put(target, 157, 100)
        put("ustar", 257, 6)
        put("00", 263, 2)
        put(owner, 265, 32)
        put(owner, 297, 32)
        put(0, 329, 8)
        put(0, 337, 8)
        put(String(Self.sum(block), radix: 8).padded(to: 6), 148, 6)
        block[155] = 0x20
        return block
    }

    /// nil for a block that is none of ours.
    init?(_ block: [UInt8]) {
        guard block.count == Self.blockSize, let kind = Kind(rawValue: block[156]) else { return nil }
        func text(_ offset: Int, _ length: Int) -> String? {
            String(validating: block[offset..<(offset + length)].prefix { $0 != 0 }, as: UTF8.self)
        }
        guard let path = text(0, 100), let mode = text(100, 8).flatMap({ UInt32($0, radix: 8) }),
            let size = text(124, 12).flatMap({ Int($0, radix: 8) }),
            let modified = text(136, 12).flatMap({ Int($0, radix: 8) }), let target = text(157, 100), let owner = text(265, 32)
        else { return nil }
        self.init(kind: kind, path: path, target: target, size: size, mode: mode, owner: owner, modified: modified)
        // There is one way to write a header: whatever differs from it is not ours.
        guard bytes == block else { return nil }
    }

    init(kind: Kind, path: String, target: String = "", size: Int, mode: UInt32, owner: String, modified: Int) {
        (self.kind, self.path, self.target, self.size) = (kind, path, target, size)
        (self.mode, self.owner, self.modified) = (mode, owner, modified)
    }

    /// The sum of the bytes, those of the sum itself taken as spaces.
    private static func sum(_ block: [UInt8]) -> Int {
        block.enumerated().reduce(0) { $0 + ((148..<156).contains($1.offset) ? 0x20 : Int($1.element)) }
    }

    /// Zeros that follow so many bytes, up to the next block.
    static func padding(after size: Int) -> Int { (blockSize - size % blockSize) % blockSize }
}

extension TarHeader {
    /// A pax record: its own length, the keyword, the value.
    static func record(_ keyword: String, _ value: String) -> String {
        let rest = " \(keyword)=\(value)\n"
        var length = rest.utf8.count
        while String(length).utf8.count + rest.utf8.count != length { length = String(length).utf8.count + rest.utf8.count }
        return "\(length)\(rest)"
    }

    /// The records of an extended header: only `path` and `size`; nil when there is anything else.
    static func records(_ bytes: [UInt8]) -> [String: String]? {
        var records: [String: String] = [:]
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let space = rest.firstIndex(of: 0x20), let length = Int(String(decoding: rest[..<space], as: UTF8.self)), length > 0,
                length <= rest.count, let text = String(validating: rest.prefix(length), as: UTF8.self)
            else { return nil }
            guard let equals = text.firstIndex(of: "="), text.last == "\n" else { return nil }
            let keyword = String(text[..<equals].drop { $0 != " " }.dropFirst())
            let value = String(text[text.index(after: equals)...].dropLast())
            guard ["path", "size"].contains(keyword), record(keyword, value) == text, records.updateValue(value, forKey: keyword) == nil else {
                return nil
            }
            rest = rest.dropFirst(length)
        }
        return records
    }
}

extension String {
    fileprivate func padded(to length: Int) -> String { String(repeating: "0", count: max(0, length - utf8.count)) + self }
}
