import DurableFiles
import Glibc

/// Writes the entries of a backup as a tar archive, and the list of them, with a sum of each file, as its last one.
final class ArchiveWriter {
    static let listName = "manifest.jsonl"
    static let aboutName = "backup.json"
    /// Who everything belongs to that belongs to no server.
    static let root = "root"

    private let output: any ByteSink
    private let sum: SHA256
    private let buffer = Buffer()
    /// The list so far; it may be long, and so it is not kept in memory.
    private let list: Descriptor
    private var listSize = 0
    /// Bytes of files written so far.
    private(set) var written = 0
    /// Called with ``written`` now and then; throws to stop.
    private let progress: (Int) throws(BackupError) -> Void

    /// - Parameter list: an empty file to keep the list in, open for reading and writing.
    init(to output: any ByteSink, list: Descriptor, progress: @escaping (Int) throws(BackupError) -> Void) throws(BackupError) {
        (self.output, self.list, self.progress) = (output, list, progress)
        sum = try SHA256()
    }

    /// A small file that is made here.
    func add(_ bytes: [UInt8], as path: String, modified: Int) throws(BackupError) {
        let entry = ArchiveEntry(path: path, kind: .file, size: bytes.count, mode: 0o600, owner: Self.root, modified: modified)
        try header(of: entry)
        try output.write(bytes)
        try pad(after: bytes.count)
        sum.update(bytes)
        try note(entry, sum: sum.finish())
    }

    /// A folder or a link.
    func add(_ entry: ArchiveEntry) throws(BackupError) {
        try header(of: entry)
        try note(entry, sum: nil)
    }

    /// A file with what is in it: exactly as many bytes as the entry says.
    func add(_ entry: ArchiveEntry, from source: Descriptor) throws(BackupError) {
        try header(of: entry)
        try copy(source, entry.size, summing: true)
        try note(entry, sum: sum.finish())
    }

    /// Writes the list and the end.
    func finish(modified: Int) throws(BackupError) {
        let entry = ArchiveEntry(path: Self.listName, kind: .file, size: listSize, mode: 0o600, owner: Self.root, modified: modified)
        try header(of: entry)
        lseek(list.number, 0, SEEK_SET)
        try copy(list, listSize, summing: false)
        try output.write([UInt8](repeating: 0, count: 2 * TarHeader.blockSize))
    }

    private func header(of entry: ArchiveEntry) throws(BackupError) {
        guard entry.isSafe else { throw .unsuitable(entry.path) }
        var header = TarHeader(kind: .file, path: entry.path, size: entry.size, mode: entry.mode, owner: entry.owner, modified: entry.modified)
        switch entry.kind {
        case .file: break
        case .folder: header.kind = .folder
        case .link(let target): (header.kind, header.target) = (.link, target)
        }
        var records = ""
        if !TarHeader.fits(path: entry.path) {
            records += TarHeader.record("path", entry.path)
            header.path = String(decoding: entry.path.utf8.prefix(60), as: UTF8.self)
        }
        if !TarHeader.fits(size: entry.size) { records += TarHeader.record("size", "\(entry.size)") }
        if !records.isEmpty {
            let bytes = Array(records.utf8)
            try output.write(
                TarHeader(kind: .extended, path: "pax", size: bytes.count, mode: 0o600, owner: Self.root, modified: 0).bytes)
            try output.write(bytes)
            try pad(after: bytes.count)
        }
        try output.write(header.bytes)
    }

    private func copy(_ source: Descriptor, _ size: Int, summing: Bool) throws(BackupError) {
        var left = size
        while left > 0 {
            let count = try source.read(UnsafeMutableRawBufferPointer(rebasing: buffer.bytes.prefix(left)))
            guard count > 0 else { throw .changing(source.name) }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer.bytes.prefix(count))
            if summing { sum.update(bytes) }
            try output.write(bytes)
            left -= count
            if summing { written += count }
            try progress(written)
        }
        try pad(after: size)
    }

    private func pad(after size: Int) throws(BackupError) {
        try output.write([UInt8](repeating: 0, count: TarHeader.padding(after: size)))
    }

    private func note(_ entry: ArchiveEntry, sum: String?) throws(BackupError) {
        let line = entry.line(sum: sum)
        try list.write(line)
        listSize += line.count
    }
}
