import Glibc

extension PackageManager {
    /// What changes whenever a package is installed, upgraded or removed; nil without dpkg.
    public static var mark: Mark? {
        var status = stat()
        guard stat("/var/lib/dpkg/status", &status) == 0 else { return nil }
        return Mark(inode: status.st_ino, seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
    }

    /// When a package was last unpacked, in seconds since 1970; nil when it is not there.
    public static func unpacked(_ package: String) -> Int? {
        var status = stat()
        return stat("/var/lib/dpkg/info/\(package).list", &status) == 0 ? status.st_mtim.tv_sec : nil
    }

    /// A state of what is installed.
    public struct Mark: Sendable, Equatable {
        var inode: UInt
        var seconds, nanoseconds: Int
    }

    /// Whether packages are being installed, upgraded or removed, as far as we may see that: in the middle of it files do not fit each other.
    ///
    /// - Parameter locks: the files that are locked then.
    public static func isAtWork(locks: [String] = ["/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock"]) -> Bool {
        locks.contains { path in
            let file = open(path, O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { return false }
            defer { close(file) }
            // apt and dpkg lock by fcntl(2); whether somebody has it can be asked without taking it.
            var lock = flock(l_type: Int16(F_WRLCK), l_whence: Int16(SEEK_SET), l_start: 0, l_len: 0, l_pid: 0)
            return fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != Int16(F_UNLCK)
        }
    }
}
