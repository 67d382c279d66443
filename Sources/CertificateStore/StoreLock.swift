internal import DurableFiles
internal import Glibc

/// A folder that nobody else changes while this value lives. The kernel lets go when the process ends, however it ends.
public struct StoreLock: ~Copyable {
    private let descriptor: Int32

    /// Takes the lock, or throws ``StoreError/busy(path:)`` at once. Makes the folder when it is missing, mode 0700.
    public init(folder: String) throws(StoreError) {
        descriptor = try lockedDescriptor(folder)
    }

    deinit {
        // A child that is just being started may hold the same descriptor until its exec; unlocking does not wait for that.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}

private func lockedDescriptor(_ folder: String) throws(StoreError) -> Int32 {
    try onDisk { () throws(FileError) in try Folder.make(folder, mode: 0o700, followingLinks: true) }
    let path = "\(folder)/.lock"
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw .file(FileError(.write, path, errno: errno)) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        let reason = errno
        close(descriptor)
        throw reason == EWOULDBLOCK ? .busy(path: folder) : .file(FileError(.write, path, errno: reason))
    }
    return descriptor
}
