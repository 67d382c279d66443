internal import Glibc

extension File {
    /// Puts a file in place: temporary name, fsync, rename, fsync of the folder. A link in its place is replaced, not followed.
    ///
    /// When it fails the file is what it was. One process at a time may write a file; another's temporary file is left alone
    /// while that process lives.
    ///
    /// - Parameters:
    ///   - mode: its permissions, whatever the umask; it never has more.
    ///   - owner: who it shall belong to; nil: whoever runs this.
    ///   - replacing: whether a file that is there may go; otherwise that is `EEXIST`.
    ///   - flushing: whether it has to survive a power cut too, and not only a kill.
    public static func write(
        _ bytes: [UInt8], to path: String, mode: UInt32, owner: Account? = nil, replacing: Bool = true, flushing: Bool = true
    ) throws(FileError) {
        let staged = try stagingName(for: path)
        try create(staged, bytes, mode: mode, owner: owner, flushing: flushing, path: path)
        // link() fails when there is such a file, rename() replaces it.
        guard (replacing ? rename(staged, path) : link(staged, path)) == 0 else {
            let error = FileError.writing(path)
            unlink(staged)
            throw error
        }
        if !replacing { unlink(staged) }
        if flushing { try Folder.flush(folder(of: path)) }
    }

    /// Creates the file with this mode and content, and puts it on the disk; its name is flushed with its folder. Nothing must be
    /// there. When it fails nothing is.
    public static func create(_ path: String, _ bytes: [UInt8], mode: UInt32, owner: Account? = nil) throws(FileError) {
        try create(path, bytes, mode: mode, owner: owner, flushing: true, path: path)
    }

    private static func create(
        _ staged: String, _ bytes: [UInt8], mode: UInt32, owner: Account?, flushing: Bool, path: String
    ) throws(FileError) {
        let descriptor = open(staged, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600 & mode)
        guard descriptor >= 0 else { throw .writing(path) }
        do throws(FileError) {
            try writeAll(bytes, descriptor, path)
            // The mode may have been narrowed by the umask. Given away last: what is another's is not ours to change.
            guard fchmod(descriptor, mode) == 0 else { throw .writing(path) }
            if let owner, fchown(descriptor, owner.user, owner.group) != 0 { throw .writing(path) }
            guard !flushing || fsync(descriptor) == 0 else { throw .writing(path) }
        } catch {
            close(descriptor)
            unlink(staged)
            throw error
        }
        guard close(descriptor) == 0 else {
            let error = FileError.writing(path)
            unlink(staged)
            throw error
        }
    }

    private static func writeAll(_ bytes: [UInt8], _ descriptor: Int32, _ path: String) throws(FileError) {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .writing(path) }
            written += count
        }
    }

    /// A name beside the file that nobody has. What killed writers of this file left there goes.
    static func stagingName(for path: String) throws(FileError) -> String {
        let folder = folder(of: path)
        let prefix = ".\(name(of: path)).new-"
        for name in Folder.names(in: folder, followingLinks: true) where name.hasPrefix(prefix) {
            guard let writer = Int32(name.dropFirst(prefix.count)), writer > 0, writer == getpid() || isGone(writer) else { continue }
            guard unlink("\(folder)/\(name)") == 0 || errno == ENOENT else { throw .writing(path) }
        }
        return "\(folder)/\(prefix)\(getpid())"
    }

    private static func isGone(_ process: Int32) -> Bool { kill(process, 0) != 0 && errno == ESRCH }
}
