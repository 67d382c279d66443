import DurableFiles
import Glibc

/// The way from the archive to the file: zstd, the seal, and age when it is encrypted.
///
/// The file has its name only when all of it is on the disk.
final class PackedFile {
    /// Where to write the archive. Let go of it before ``finish(as:)``.
    private(set) var input: Descriptor?
    private let folder: String
    private let temporary: String
    private let output: Descriptor
    private let compressor: ChildProcess
    private let encryptor: ChildProcess?
    private let sealing: Background

    /// How the name of an unfinished file begins; the number of the process that writes it follows.
    static let temporaryPrefix = ".snikket-backup.new-"

    /// - Parameter folder: where the file is to lie.
    init(in folder: String, encryption: Encryption) throws(BackupError) {
        self.folder = folder
        temporary = "\(folder)/\(Self.temporaryPrefix)\(getpid())"
        let zstd = try ChildProcess.find("zstd", package: "zstd")
        let output = try Descriptor.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
        self.output = output
        do throws(BackupError) {
            let (archive, packed, sealed) = (try Descriptor.pipe(), try Descriptor.pipe(), try Descriptor.pipe())
            // Small jobs: several threads, and still little memory.
            compressor = try ChildProcess(
                zstd, ["--quiet", "--stdout", "--check", "-3", "-T\(Self.threads)", "-B2MiB"], input: archive.reading, output: packed.writing)
            encryptor = try Age.encrypt(encryption, from: sealed.reading, to: output)
            let end = encryptor == nil ? output : sealed.writing
            sealing = Background("seal") { [source = packed.reading] () throws(BackupError) in try Self.seal(source, into: end) }
            input = archive.writing
        } catch {
            unlink(temporary)
            throw error
        }
    }

    deinit { unlink(temporary) }

    /// Waits until all of it is on the disk, and gives it its name.
    ///
    /// - Returns: its size in bytes.
    func finish(as name: String) throws(BackupError) -> Int {
        input = nil
        do throws(BackupError) {
            try sealing.finish()
        } catch {
            // When the reader has died, the writer's broken pipe is not the reason.
            try encryptor?.succeed()
            throw error
        }
        try compressor.succeed()
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

    /// Why the archive could not be written any more: what one of the programs said, rather than that a pipe broke.
    func reason(for error: BackupError) -> BackupError {
        guard case .file(let problem) = error, problem.errno == EPIPE else { return error }
        input = nil
        for child in [encryptor, compressor] {
            do throws(BackupError) { try child?.succeed() } catch { return error }
        }
        do throws(BackupError) { try sealing.finish() } catch { return error }
        return error
    }

    private static func seal(_ source: Descriptor, into output: Descriptor) throws(BackupError) {
        let (sum, buffer) = (try SHA256(), Buffer())
        var (written, begun) = (0, 0)
        while true {
            let count = try source.read(buffer.bytes)
            guard count > 0 else { break }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer.bytes.prefix(count))
            sum.update(bytes)
            try output.write(bytes)
            written += count
            guard written - begun >= writeBackSize else { continue }
            output.beginWritingBack(from: begun, to: written)
            begun = written
        }
        try output.write(Seal.bytes(of: sum.finish()))
    }

    /// After so many bytes the disk is set to work, so that at the end there is little left to wait for.
    private static let writeBackSize = 8 << 20

    /// More than a few would only cost memory.
    private static var threads: Int { max(1, min(4, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }
}
