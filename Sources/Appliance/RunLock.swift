import CLinux
import DurableFiles
import Glibc
import Lifecycle
import Settings

/// Lets only one `snikket up` use a state directory, and none while containers do. The kernel gives the lock back when the process ends, however it ends. Its process
/// number is in the file, for whoever comes second.
final class RunLock: Sendable {
    private let descriptor: CInt
    /// The locks of the containers that there may be.
    private let containers: [CInt]

    /// Takes the lock, in a state directory that is made if it is missing.
    /// - Throws: ``ApplianceError/alreadyRunning(state:process:)`` when somebody else has it, ``ApplianceError/containersRun(state:)``,
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
        do throws(ApplianceError) {
            containers = try Self.containerLocks(below: locations.state)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        // Only for people: the lock is as good without it, on a full disk too.
        let number = Array("\(getpid())\n".utf8)
        if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, number, number.count, 0) }
    }

    /// Takes what containers hold while they run (``Restorer/containerLocks``), so that none begins either. Each is its container's user's file.
    private static func containerLocks(below state: String) throws(ApplianceError) -> [CInt] {
        var taken: [CInt] = []
        do throws(ApplianceError) {
            for path in Restorer.containerLocks.map({ "\(state)/\($0)" }) {
                if let lock = try containerLock(path, state) { taken.append(lock) }
            }
        } catch {
            for lock in taken { close(lock) }
            throw error
        }
        return taken
    }

    /// nil when there are no containers here.
    private static func containerLock(_ path: String, _ state: String) throws(ApplianceError) -> CInt? {
        let folder = open(File.folder(of: path), CInt(SNIKKET_PATH_ONLY) | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard folder >= 0 else { return nil }
        defer { close(folder) }
        var facts = stat()
        guard fstat(folder, &facts) == 0 else { throw .file(FileError(.read, path, errno: errno)) }
        let owner = facts.st_uid == geteuid() ? nil : Account(user: facts.st_uid, group: facts.st_gid)
        let lock: CInt
        do throws(FileError) {
            lock = try File.acting(as: owner, on: path) { () throws(FileError) in
                let lock = openat(folder, File.name(of: path), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
                guard lock >= 0 else { throw FileError(.write, path, errno: errno) }
                return lock
            }
        } catch {
            throw .file(error)
        }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            let problem = errno
            close(lock)
            throw problem == EWOULDBLOCK ? .containersRun(state: state) : .file(FileError(.write, path, errno: problem))
        }
        return lock
    }

    /// The process that has the lock; nil when none has. It is looked for and not tried: whoever starts at this moment is not to find it taken.
    static func owner(_ locations: Locations) -> Int? {
        let descriptor = open(locations.state + "/lock", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var facts = stat()
        guard let owner = number(in: descriptor), fstat(descriptor, &facts) == 0 else { return nil }
        // proc_locks(5): `1: FLOCK ADVISORY WRITE 708 08:01:1190 0 EOF`.
        let locks = (try? File.read("/proc/locks")) ?? []
        let isHeld = String(decoding: locks, as: UTF8.self).split(separator: "\n").contains { line in
            let words = line.split(separator: " ")
            return words.count > 5 && words[1] == "FLOCK" && words[4] == "\(owner)" && words[5].hasSuffix(":\(facts.st_ino)")
        }
        return isHeld ? owner : nil
    }

    private static func number(in descriptor: CInt) -> Int? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 1, bytes[count - 1] == UInt8(ascii: "\n") else { return nil }
        return Int(String(decoding: bytes[..<(count - 1)], as: UTF8.self))
    }

    deinit {
        // A child that is just being started may hold the same descriptor until its exec; unlocking does not wait for that.
        for lock in containers + [descriptor] {
            flock(lock, LOCK_UN)
            close(lock)
        }
    }
}
