import DurableFiles
import Glibc
import Lifecycle
import Settings

/// Lets only one `snikket up` use a state directory. The kernel gives the lock back when the process ends, however it ends. Its process
/// number is in the file, for whoever comes second.
final class RunLock: Sendable {
    private let descriptor: CInt

    /// Takes the lock, in a state directory that is made if it is missing.
    /// - Throws: ``ApplianceError/alreadyRunning(state:process:)`` when somebody else has it,
    ///   ``ApplianceError/restoreUnfinished(state:)``.
    init(_ locations: Locations) throws(ApplianceError) {
        try Ground.prepareState(locations)
        let path = locations.state + "/lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .file(FileError(.write, path, errno: errno)) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let problem = errno
            let owner = Self.number(in: descriptor)
            close(descriptor)
            if problem == EWOULDBLOCK { throw .alreadyRunning(state: locations.state, process: owner) }
            throw .file(FileError(.write, path, errno: problem))
        }
        guard !Restorer.isUnfinished(state: locations.state) else {
            close(descriptor)
            throw .restoreUnfinished(state: locations.state)
        }
        self.descriptor = descriptor
        // Only for people: the lock is as good without it, on a full disk too.
        let number = Array("\(getpid())\n".utf8)
        if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, number, number.count, 0) }
    }

    private static func number(in descriptor: CInt) -> Int? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 1, bytes[count - 1] == UInt8(ascii: "\n") else { return nil }
        return Int(String(decoding: bytes[..<(count - 1)], as: UTF8.self))
    }

    deinit {
        // A child that is just being started may hold the same descriptor until its exec; unlocking does not wait for that.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}
