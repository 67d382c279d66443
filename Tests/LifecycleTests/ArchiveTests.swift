import Glibc
import RealServers
import Testing

@testable import Lifecycle

@Suite("a backup's archive: what is written is read, and nothing else")
struct ArchiveTests {
    /// Keeps everything that is in an archive.
    final class Collector: ArchiveReader.Receiver {
        var about: BackupAbout?
        var entries: [ArchiveEntry] = []
        func begin(_ about: BackupAbout) { self.about = about }
        func open(_ entry: ArchiveEntry, beginning: [UInt8]) -> Descriptor? { nil }
        func place(_ entry: ArchiveEntry, _ file: Descriptor?) { entries.append(entry) }
        func progress(_ bytes: Int) {}
    }

    static let about = BackupAbout(
        version: "1.2.3", domain: "chat.example.org", created: 1_795_734_533, debian: "12.8", prosody: "13.0.1", files: 2, bytes: 11)

    static func entry(_ path: String, _ kind: ArchiveEntry.Kind = .file, size: Int = 0, mode: UInt32 = 0o640) -> ArchiveEntry {
        ArchiveEntry(path: path, kind: kind, size: size, mode: mode, owner: "snikket-prosody", modified: 1_700_000_000)
    }

    /// Writes an archive to a file.
    static func write(_ scratch: Scratch, _ body: (ArchiveWriter) throws -> Void) throws -> String {
        let path = "\(scratch.path)/archive-\(UInt32.random(in: 0 ... .max))"
        let list = try Descriptor.open("\(path).list", O_RDWR | O_CREAT | O_EXCL)
        let writer = try ArchiveWriter(to: try Descriptor.open(path, O_WRONLY | O_CREAT | O_EXCL), list: list) { _ in }
        try writer.add(about.json, as: ArchiveWriter.aboutName, modified: 1)
        try body(writer)
        try writer.finish(modified: 1)
        return path
    }

    static func read(_ path: String) throws -> Collector {
        let collector = Collector()
        try ArchiveReader(try .open(path, O_RDONLY), name: path).read(collector)
        return collector
    }

    @Test("files, folders, links, long paths and large sizes come out as they went in")
    func roundTrip() async throws {
        try await Scratch.with { scratch in
            let content = try scratch.write("content", "hello world")
            let long = "state/" + String(repeating: "größe/", count: 40) + "\"\\ \t.bin"
            let entries = [
                Self.entry("state/prosody", .folder, mode: 0o700), Self.entry("state/prosody/a", size: 11), Self.entry(long, size: 5),
                Self.entry("state/current", .link("cert-1"), mode: 0o777), Self.entry("state/empty"),
            ]
            let path = try Self.write(scratch) { writer in
                for entry in entries {
                    if entry.kind == .file {
                        try writer.add(entry, from: try .open(content, O_RDONLY))
                    } else {
                        try writer.add(entry)
                    }
                }
            }
            let collector = try Self.read(path)
            #expect(collector.about == Self.about)
            #expect(collector.entries == entries)
            try await scratch.succeed("/bin/tar", ["-tf", path])
        }
    }

    @Test("a size of eight gibibytes and more stands in a record, as tar understands it")
    func largeSizes() {
        let record = TarHeader.record("size", "8589934592")
        #expect(record == "19 size=8589934592\n")
        #expect(TarHeader.records(Array(record.utf8)) == ["size": "8589934592"])
        #expect(TarHeader.records(Array("12 mtime=12\n".utf8)) == nil)
        #expect(TarHeader.records(Array("99 size=12\n".utf8)) == nil)
        #expect(TarHeader.fits(size: 8_589_934_591) && !TarHeader.fits(size: 8_589_934_592))
    }

    @Test(
        "a path that leads outside is refused, whether it is written or read",
        arguments: ["/etc/passwd", "../x", "state/../../x", "state//x", "state/./x", "", "state/x/", ".."])
    func outside(path: String) async throws {
        #expect(!Self.entry(path).isSafe)
        #expect(!Self.entry("state/link", .link(path)).isSafe)
        try await Scratch.with { scratch in
            #expect(throws: BackupError.self) { try Self.write(scratch) { try $0.add(Self.entry(path)) } }
            // Somebody else may write one.
            let honest = try Self.write(scratch) { try $0.add(Self.entry("state/harmless-name")) }
            let forged = try Self.forge(honest, scratch) { header in header.path == "state/harmless-name" ? path : nil }
            #expect(throws: BackupError.self) { try Self.read(forged) }
        }
    }

    @Test("set-user-id files and devices are refused")
    func special() async throws {
        #expect(!Self.entry("state/x", mode: 0o4755).isSafe)
        var block = TarHeader(kind: .file, path: "state/x", size: 0, mode: 0o600, owner: "root", modified: 0).bytes
        #expect(TarHeader(block) != nil)
        // A character device (POSIX ustar, typeflag 3), with a sum that fits.
        block[156] = 0x33
        #expect(TarHeader(block) == nil)
    }

    @Test("every byte of an archive counts: whichever is altered, it is refused")
    func everyByte() async throws {
        try await Scratch.with { scratch in
            let content = try scratch.write("content", "hello world")
            let path = try Self.write(scratch) { writer in
                try writer.add(Self.entry("state/prosody", .folder))
                try writer.add(Self.entry("state/a", size: 11), from: try .open(content, O_RDONLY))
            }
            let bytes = try Self.contents(path)
            var accepted: Set<Int> = []
            // A third of them, others each time.
            for place in stride(from: .random(in: 0..<3), to: bytes.count, by: 3) {
                var altered = bytes
                altered[place] ^= 1
                let other = try Self.put(altered, scratch, "altered")
                if (try? Self.read(other)) != nil { accepted.insert(place % 512) }
            }
            #expect(accepted.isEmpty, "\(accepted.sorted())")
            for length in stride(from: 0, to: bytes.count, by: 37) {
                let other = try Self.put(Array(bytes.prefix(length)), scratch, "cut")
                #expect(throws: BackupError.self, "\(length)") { try Self.read(other) }
            }
        }
    }

    static func contents(_ path: String) throws -> [UInt8] {
        let file = try Descriptor.open(path, O_RDONLY)
        let buffer = Buffer(size: 1 << 20)
        let count = try file.read(buffer.bytes)
        return Array(buffer.bytes.prefix(count))
    }

    static func put(_ bytes: [UInt8], _ scratch: Scratch, _ name: String) throws -> String {
        let path = "\(scratch.path)/\(name)"
        try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC).write(bytes)
        return path
    }

    /// Changes paths in headers, with sums that fit.
    static func forge(_ path: String, _ scratch: Scratch, _ change: (TarHeader) -> String?) throws -> String {
        var bytes = try contents(path)
        for start in stride(from: 0, to: bytes.count, by: 512) {
            guard var header = TarHeader(Array(bytes[start..<(start + 512)])), let path = change(header) else { continue }
            header.path = path
            bytes.replaceSubrange(start..<(start + 512), with: header.bytes)
        }
        return try put(bytes, scratch, "forged")
    }
}
