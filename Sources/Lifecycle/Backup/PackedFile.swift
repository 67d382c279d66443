import DurableFiles
import Glibc

/// The way from the archive to the file: zstd, the seal, and age when it is encrypted.
///
/// The file has its name only when all of it is on the disk.
final class PackedFile: ByteSink {
    private let folder: String
    private let temporary: String
    private let output: Descriptor
    private let compressor: Compressor
    private let encryptor: ChildProcess?
    private let packed = Conveyor()
    private let sealing: Background

    /// How the name of an unfinished file begins; the number of the process that writes it follows.
    static let temporaryPrefix = ".snikket-backup.new-"

    /// - Parameters:
    ///   - folder: where the file is to lie.
    ///   - room: what has to stay free there.
    init(in folder: String, encryption: Encryption, leaving room: DiskReserve = .none) throws(BackupError) {
        self.folder = folder
        temporary = "\(folder)/\(Self.temporaryPrefix)\(getpid())"
        compressor = try Compressor(level: 3, threads: Self.threads)
        // That there can be one is found out here: at the other end of the conveyor it would be too late.
        _ = try FileSum()
        let output = try Descriptor.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
        self.output = output
        do throws(BackupError) {
            let sealed = try Descriptor.pipe()
            encryptor = try Age.encrypt(encryption, from: sealed.reading, to: output)
            let end = encryptor == nil ? output : sealed.writing
            let isFile = encryptor == nil
            sealing = Background("seal") { [packed] () throws(BackupError) in
                try Self.seal(packed, into: end, isFile: isFile, leaving: room)
            }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    deinit {
        packed.end(isWhole: false)
        unlink(temporary)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(BackupError) {
        try compressor.feed(bytes) { (bytes) throws(BackupError) in try packed.put(bytes) }
    }

    /// Waits until all of it is on the disk, and gives it its name.
    ///
    /// - Returns: its size in bytes.
    func finish(as name: String) throws(BackupError) -> Int {
        do throws(BackupError) {
            try compressor.finish(into: { (bytes) throws(BackupError) in try packed.put(bytes) })
            packed.end(isWhole: true)
            try sealing.finish()
        } catch {
            throw reason(for: error)
        }
        try encryptor?.succeed()
        try output.flush()
        let size = output.status.map { Int($0.st_size) } ?? 0
        try giveName("\(folder)/\(name)")
        do throws(FileError) { try Folder.flush(folder) } catch {
            // Whoever is told that there is none should not find one.
            unlink("\(folder)/\(name)")
            throw .file(error)
        }
        return size
    }

    /// Writes what is packed, and at the end the seal.
    ///
    /// - Parameter isFile: whether it goes to the file itself, and not to age.
    private static func seal(_ packed: Conveyor, into end: Descriptor, isFile: Bool, leaving room: DiskReserve) throws(BackupError) {
        let sum = try FileSum()
        var (written, begun) = (0, 0)
        let isWhole = try packed.takeAll { (bytes) throws(BackupError) in
            sum.update(bytes)
            try end.write(bytes)
            written += bytes.count
            guard written - begun >= writeBackSize else { return }
            try room.check()
            if isFile { end.beginWritingBack(from: begun, to: written) }
            begun = written
        }
        if isWhole { try end.write(Seal.bytes(of: sum.end())) }
    }

    /// Nothing that is there is replaced.
    private func giveName(_ path: String) throws(BackupError) {
        if link(temporary, path) == 0 {
            unlink(temporary)
            return
        }
        // A memory stick and many network disks have no hard links.
        let hasLinks = ![EPERM, EOPNOTSUPP, ENOSYS, EINVAL].contains(errno)
        guard !hasLinks, !Tree.exists(path), rename(temporary, path) == 0 else { throw .file(FileError(.write, path, errno: errno)) }
    }

    /// Why the archive could not be written any more: what age said, rather than that a pipe broke.
    func reason(for error: BackupError) -> BackupError {
        guard case .file(let problem) = error, problem.errno == EPIPE else { return error }
        packed.end(isWhole: false)
        do throws(BackupError) { try encryptor?.succeed() } catch { return error }
        return error
    }

    /// After so many bytes the disk is set to work, so that at the end there is little left to wait for.
    private static let writeBackSize = 8 << 20

    /// More than a few would only cost memory.
    private static var threads: Int { max(1, min(4, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }
}
