import DurableFiles
import Glibc

/// The folder in which backups lie, and their names: `snikket-chat.example.org-20261126T224000Z.tar.zst`, with `.age` when encrypted.
public struct BackupFolder: Sendable {
    public let path: String

    public init(_ path: String) {
        self.path = path
    }

    /// A backup, as far as its name says it.
    public struct Item: Sendable, Equatable {
        /// Its path.
        public var file: String
        public var domain: String
        /// Seconds since 1970.
        public var created: Int
        /// Whether it was made by the schedule, which also removes it again.
        public var isScheduled: Bool
        public var isEncrypted: Bool
        /// In bytes.
        public var size: Int
    }

    private static let prefix = "snikket-"
    private static let ending = ".tar.zst"
    private static let scheduledMark = "-auto"

    /// The name of a backup that is made at a moment.
    public static func name(domain: String, created: Int, isScheduled: Bool, isEncrypted: Bool) -> String {
        "\(prefix)\(domain)-\(moment(created))\(isScheduled ? scheduledMark : "")\(ending)\(isEncrypted ? ".age" : "")"
    }

    /// The backups in it, the newest first.
    public func items() -> [Item] {
        Folder.names(in: path, followingLinks: true).compactMap(item).sorted { ($0.created, $0.file) > ($1.created, $1.file) }
    }

    private func item(_ name: String) -> Item? {
        var rest = name[...]
        let isEncrypted = rest.hasSuffix(".age")
        if isEncrypted { rest = rest.dropLast(4) }
        guard rest.hasPrefix(Self.prefix), rest.hasSuffix(Self.ending) else { return nil }
        rest = rest.dropFirst(Self.prefix.count).dropLast(Self.ending.count)
        let isScheduled = rest.hasSuffix(Self.scheduledMark)
        if isScheduled { rest = rest.dropLast(Self.scheduledMark.count) }
        guard let hyphen = rest.lastIndex(of: "-"), let created = Self.seconds(rest[rest.index(after: hyphen)...]) else { return nil }
        var status = stat()
        guard stat("\(path)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Item(
            file: "\(path)/\(name)", domain: String(rest[..<hyphen]), created: created, isScheduled: isScheduled, isEncrypted: isEncrypted,
            size: Int(status.st_size))
    }

    /// When the next of a domain's scheduled backups is due, in seconds since 1970.
    ///
    /// - Parameters:
    ///   - interval: seconds from one to the next.
    ///   - now: what is said to be made after it was made when the clock was wrong.
    public func nextScheduled(domain: String, every interval: Int, now: Int) -> Int {
        items().first { $0.isScheduled && $0.domain == domain && $0.created <= now }.map { $0.created + interval } ?? 0
    }

    /// Removes the oldest of a domain's scheduled backups, so that so many are left. Those that a person made stay.
    public func prune(domain: String, keeping count: Int) throws(BackupError) {
        for item in items().filter({ $0.isScheduled && $0.domain == domain }).dropFirst(max(1, count)) {
            guard unlink(item.file) == 0 || errno == ENOENT else { throw .file(FileError(.write, item.file, errno: errno)) }
        }
    }

    /// `20261126T224000Z` (ISO 8601, basic).
    static func moment(_ seconds: Int) -> String {
        var (time, parts) = (time_t(seconds), tm())
        gmtime_r(&time, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)\(two(parts.tm_mon + 1))\(two(parts.tm_mday))T\(two(parts.tm_hour))\(two(parts.tm_min))\(two(parts.tm_sec))Z"
    }

    private static func seconds(_ text: Substring) -> Int? {
        let digits = text.utf8.filter { (0x30...0x39).contains($0) }.map { Int32($0) - 0x30 }
        guard digits.count == 14 else { return nil }
        func number(_ range: Range<Int>) -> Int32 { digits[range].reduce(0) { $0 * 10 + $1 } }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (number(0..<4) - 1900, number(4..<6) - 1, number(6..<8))
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (number(8..<10), number(10..<12), number(12..<14))
        let seconds = timegm(&parts)
        return moment(seconds) == text ? seconds : nil
    }

    /// What /etc/debian_version says: `12.8`; nil on another system.
    static func debianVersion() -> String? {
        guard let bytes = try? File.read("/etc/debian_version") else { return nil }
        return String(decoding: bytes.prefix { $0 > 0x20 }, as: UTF8.self)
    }
}
