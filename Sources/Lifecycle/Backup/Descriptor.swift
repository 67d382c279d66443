import CLinux
import DurableFiles
import Glibc

/// Where bytes go.
protocol ByteSink: AnyObject {
    func write(_ bytes: UnsafeRawBufferPointer) throws(BackupError)
}

extension ByteSink {
    func write(_ bytes: [UInt8]) throws(BackupError) {
        // Typed errors do not come through withUnsafeBytes.
        let result: Result<Void, BackupError> = bytes.withUnsafeBytes { buffer in
            do throws(BackupError) { return .success(try write(buffer)) } catch { return .failure(error) }
        }
        try result.get()
    }
}

/// An open file or the end of a pipe, closed when nobody uses it any more.
final class Descriptor: Sendable, ByteSink {
    let number: Int32
    /// What errors call it.
    let name: String

    init(_ number: Int32, name: String) {
        (self.number, self.name) = (number, name)
    }

    deinit { close(number) }

    /// - Parameter flags: of open(2); never inherited by a child, never a controlling terminal.
    static func open(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws(BackupError) -> Descriptor {
        let number = Glibc.open(path, flags | O_CLOEXEC | O_NOCTTY, mode)
        guard number >= 0 else {
            throw .file(FileError(flags & (O_WRONLY | O_RDWR) == 0 ? .read : .write, path, errno: errno))
        }
        return Descriptor(number, name: path)
    }

    /// A pipe.
    static func pipe() throws(BackupError) -> (reading: Descriptor, writing: Descriptor) {
        var numbers: [Int32] = [0, 0]
        guard Glibc.pipe(&numbers) == 0 else { throw .file(FileError(.write, "a pipe", errno: errno)) }
        let ends = (reading: Descriptor(numbers[0], name: "a pipe"), writing: Descriptor(numbers[1], name: "a pipe"))
        for number in numbers { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
        // As large as it may be: fewer switches from one process to the next.
        _ = fcntl(numbers[1], setPipeSize, 1 << 20)
        return ends
    }

    /// F_SETPIPE_SZ of fcntl(2), which is Linux's own.
    private static let setPipeSize: Int32 = 1031

    /// Up to so many bytes into the buffer; 0 at the end.
    func read(_ buffer: UnsafeMutableRawBufferPointer) throws(BackupError) -> Int {
        while true {
            let count = Glibc.read(number, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            guard errno == EINTR else { throw .file(FileError(.read, name, errno: errno)) }
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(BackupError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Glibc.write(number, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .file(FileError(.write, name, errno: errno)) }
            rest = rest.dropFirst(count)
        }
    }

    /// Puts it on the disk.
    func flush() throws(BackupError) {
        guard fsync(number) == 0 else { throw .file(FileError(.write, name, errno: errno)) }
    }

    /// Has the kernel begin to put a part of it on the disk, without waiting for it (sync_file_range(2)). A pipe has no such thing, and does not mind.
    func beginWritingBack(from begin: Int, to end: Int) {
        _ = snikket_begin_writing_back(number, Int64(begin), Int64(end - begin))
    }

    var status: stat? {
        var status = stat()
        return fstat(number, &status) == 0 ? status : nil
    }
}

/// Memory to read into, given back at the end.
final class Buffer {
    let bytes: UnsafeMutableRawBufferPointer

    init(size: Int = 1 << 18) {
        bytes = .allocate(byteCount: size, alignment: 4096)
    }

    deinit { bytes.deallocate() }
}
