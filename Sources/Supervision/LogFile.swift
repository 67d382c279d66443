import Glibc
import SystemPackage

/// A line that is to be written.
struct WaitingLine {
    var moment: String
    var text: String
    /// How many of the server's lines are lost with it: one that tells of others stands for them.
    var stands = 1
}

/// A log's file: `SERVICE.log`, a moment (RFC 3339, UTC) before each line; when it is full it becomes `SERVICE.log.1`.
struct LogFile {
    private let path: String
    private let limit: Int
    private var descriptor: FileDescriptor?
    private var size = 0

    init(path: String, limit: Int) {
        self.path = path
        self.limit = limit
    }

    /// Writes lines. A file that cannot be written is tried again with the next ones.
    ///
    /// - Returns: how many were lost.
    mutating func write(_ lines: [WaitingLine]) -> Int {
        var (bytes, count, lost): ([UInt8], Int, Int) = ([], 0, 0)
        for wanted in lines {
            let line = "\(wanted.moment) \(wanted.text)\n".utf8
            if size + bytes.count + line.count > limit {
                if !append(bytes) { lost += count }
                (bytes, count) = ([], 0)
                rotate()
            }
            bytes += line
            count += wanted.stands
        }
        if !append(bytes) { lost += count }
        return lost
    }

    private mutating func append(_ bytes: [UInt8]) -> Bool {
        guard !bytes.isEmpty else { return true }
        if descriptor == nil { open() }
        guard let descriptor else { return false }
        do {
            size += try descriptor.writeAll(bytes)
            return true
        } catch {
            close()
            return false
        }
    }

    private mutating func open() {
        guard
            let file = try? FileDescriptor.open(
                path, .readWrite, options: [.append, .create, .closeOnExec], permissions: [.ownerReadWrite, .groupRead])
        else { return }
        descriptor = file
        size = Int((try? file.seek(offset: 0, from: .end)) ?? 0)
        // On a full disk, or when we were killed, half a line may have been written.
        if size > 0, Self.lastByte(of: file, size) != UInt8(ascii: "\n") { size += (try? file.writeAll("\n".utf8)) ?? 0 }
    }

    private static func lastByte(of file: FileDescriptor, _ size: Int) -> UInt8? {
        var byte: UInt8 = 0
        let count = try? withUnsafeMutableBytes(of: &byte) { try file.read(fromAbsoluteOffset: Int64(size - 1), into: $0) }
        return count == 1 ? byte : nil
    }

    private mutating func rotate() {
        guard size > 0 else { return }
        close()
        // When that fails the old file only grows on; writing to it is better than losing lines.
        _ = rename(path, path + ".1")
    }

    /// The next line opens it again.
    mutating func close() {
        try? descriptor?.close()
        descriptor = nil
        size = 0
    }
}
