import DurableFiles
import Glibc

/// A lock that the kernel gives back when its process ends, however it ends.
public final class HeldLock: Sendable {
    private let descriptor: Descriptor

    /// Takes it.
    ///
    /// - Returns: nil when somebody else has it.
    /// - Throws: ``BackupError/file(_:)``
    public init?(_ path: String) throws(BackupError) {
        descriptor = try .open(path, O_RDWR | O_CREAT | O_NOFOLLOW)
        guard flock(descriptor.number, LOCK_EX | LOCK_NB) == 0 else {
            guard errno == EWOULDBLOCK else { throw .file(FileError(.write, path, errno: errno)) }
            return nil
        }
    }

    deinit {
        // A child that is just being started may hold the same descriptor until its exec.
        flock(descriptor.number, LOCK_UN)
    }
}
