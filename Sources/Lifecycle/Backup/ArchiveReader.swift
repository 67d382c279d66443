import DurableFiles
import Glibc

/// Reads what ``ArchiveWriter`` wrote, and nothing else: whatever it would not have written is refused.
///
/// What it hands out is to be believed only when ``read(_:)`` has returned, and ``OpenedBackup/finish()`` after it.
final class ArchiveReader {
    /// Who is given what is in it.
    protocol Receiver: AnyObject {
        /// The first entry: what backup it is.
        func begin(_ about: BackupAbout) throws(BackupError)
        /// A file that is to come; returns where to write it, or nil when it is only read.
        ///
        /// - Parameter beginning: its first bytes, at most 16.
        func open(_ entry: ArchiveEntry, beginning: [UInt8]) throws(BackupError) -> Descriptor?
        /// A file has come, a folder or a link.
        func place(_ entry: ArchiveEntry, _ file: Descriptor?) throws(BackupError)
        /// Bytes of files read so far; throws to stop.
        func progress(_ bytes: Int) throws(BackupError)
    }

    private let input: Descriptor
    /// The file that errors name.
    private let name: String
    private let buffer = Buffer()
    private let sum: SHA256
    /// The sum of the list as it has to be.
    private let list: SHA256
    private var count = 0

    init(_ input: Descriptor, name: String) throws(BackupError) {
        (self.input, self.name) = (input, name)
        sum = try SHA256()
        list = try SHA256()
    }

    /// Reads all of it.
    func read(_ receiver: any Receiver) throws(BackupError) {
        let first = try entry()
        guard first.path == ArchiveWriter.aboutName, first.kind == .file, first.size <= 1 << 16 else { throw .notABackup(name) }
        let bytes = try next(first.size)
        let about = try BackupAbout(json: bytes, file: name)
        sum.update(bytes)
        list.update(first.line(sum: sum.finish()))
        try receiver.begin(about)
        while true {
            let entry = try entry()
            if entry.path == ArchiveWriter.listName { return try end(entry) }
            if entry.kind == .file {
                let beginning = try next(min(16, entry.size), padded: false)
                let file = try receiver.open(entry, beginning: beginning)
                sum.update(beginning)
                try file?.write(beginning)
                try copy(entry.size - beginning.count, to: file, receiver)
                try padding(after: entry.size)
                list.update(entry.line(sum: sum.finish()))
                try receiver.place(entry, file)
            } else {
                list.update(entry.line(sum: nil))
                try receiver.place(entry, nil)
            }
        }
    }

    /// The list has to be the one that follows from what has been read, and nothing may come after it.
    private func end(_ entry: ArchiveEntry) throws(BackupError) {
        guard entry.kind == .file else { throw malformed("its list is no file") }
        try copy(entry.size, to: nil, nil)
        try padding(after: entry.size)
        guard sum.finish() == list.finish() else { throw .damaged(name, .list) }
        let zeros = try next(2 * TarHeader.blockSize, padded: false)
        guard zeros.allSatisfy({ $0 == 0 }) else { throw malformed("something stands after its list") }
        guard try input.read(buffer.bytes) == 0 else { throw malformed("something stands after its end") }
    }

    private func entry() throws(BackupError) -> ArchiveEntry {
        var header = try block()
        var records: [String: String] = [:]
        if header.kind == .extended {
            guard header.size <= 1 << 14, let found = TarHeader.records(try next(header.size)), !found.isEmpty else { throw malformed("its records") }
            records = found
            header = try block()
        }
        var entry = ArchiveEntry(
            path: records["path"] ?? header.path, kind: .file, size: header.size, mode: header.mode, owner: header.owner, modified: header.modified)
        if let size = records["size"] {
            guard let size = Int(size) else { throw malformed("a size") }
            entry.size = size
        }
        switch header.kind {
        case .file: break
        case .folder: entry.kind = .folder
        case .link: entry.kind = .link(header.target)
        case .extended: throw malformed("its records")
        }
        guard entry.isSafe, entry.kind == .file || entry.size == 0 else { throw malformed("a path that leads outside, or a special file") }
        return entry
    }

    private func block() throws(BackupError) -> TarHeader {
        let block = try next(TarHeader.blockSize, padded: false)
        guard let header = TarHeader(block) else {
            // What was never a backup has no good first block.
            throw count <= TarHeader.blockSize ? .notABackup(name) : malformed("a header")
        }
        return header
    }

    private func malformed(_ what: String) -> BackupError { .damaged(name, .malformed(what)) }

    /// A few bytes, with the padding that follows them.
    private func next(_ size: Int, padded: Bool = true) throws(BackupError) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        try take(size) { bytes += $0 }
        if padded { try padding(after: size) }
        return bytes
    }

    private func copy(_ size: Int, to file: Descriptor?, _ receiver: (any Receiver)?) throws(BackupError) {
        try take(size) { (bytes) throws(BackupError) in
            sum.update(bytes)
            try file?.write(bytes)
            try receiver?.progress(count)
        }
    }

    private func padding(after size: Int) throws(BackupError) {
        let padding = TarHeader.padding(after: size)
        guard padding > 0 else { return }
        guard try next(padding, padded: false).allSatisfy({ $0 == 0 }) else { throw malformed("its padding") }
    }

    private func take(_ size: Int, _ use: (UnsafeRawBufferPointer) throws(BackupError) -> Void) throws(BackupError) {
        var left = size
        while left > 0 {
            let got = try input.read(UnsafeMutableRawBufferPointer(rebasing: buffer.bytes.prefix(left)))
            guard got > 0 else { throw .damaged(name, .cutOff) }
            count += got
            left -= got
            try use(UnsafeRawBufferPointer(rebasing: buffer.bytes.prefix(got)))
        }
    }
}
