import Glibc
import Lifecycle
import Settings

/// Lets only one `snikket up` use a state directory. The kernel gives the lock back when the process ends, however it ends.
final class RunLock: Sendable {
    private let descriptor: CInt

    /// Takes the lock.
    /// - Throws: ``ApplianceError/alreadyRunning(state:)`` when somebody else has it, ``ApplianceError/restoreUnfinished(state:)``.
    init(_ locations: Locations) throws(ApplianceError) {
        let path = locations.state + "/lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .file(path: path, problem: String(cString: strerror(errno))) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let problem = errno
            close(descriptor)
            if problem == EWOULDBLOCK { throw .alreadyRunning(state: locations.state) }
            throw .file(path: path, problem: String(cString: strerror(problem)))
        }
        guard !Restorer.isUnfinished(state: locations.state) else {
            close(descriptor)
            throw .restoreUnfinished(state: locations.state)
        }
        self.descriptor = descriptor
    }

    deinit {
        // A child that is just being started may hold the same descriptor until its exec; unlocking does not wait for that.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}
