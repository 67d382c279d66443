internal import CLinux
internal import Glibc

extension File {
    /// Does something with files with an account's rights, and no others: setfsuid(2), for this thread and this moment.
    ///
    /// So root meets in somebody's folder what its owner would meet there: it needs no capability to override permissions, and a link that lies there
    /// leads no further than the owner could go (or the groups that root is in besides its own: nginx's). It is also how the kernel decides whose /proc/PID may be read (ptrace(2)).
    ///
    /// - Parameters:
    ///   - account: nil: as we are.
    ///   - path: what an error names.
    ///   - body: nothing that waits for another thread; access(2) in it would ask for us all the same.
    /// - Throws: what `body` throws; `EPERM` when we may not become others.
    public static func acting<Result>(
        as account: Account?, on path: String, _ body: () throws(FileError) -> Result
    ) throws(FileError) -> Result {
        guard let account else { return try body() }
        // The group first: a user without rights could not change it. Both say who it was before, and nothing of failure.
        let before = (group: UInt32(bitPattern: snikket_setfsgid(account.group)), user: UInt32(bitPattern: snikket_setfsuid(account.user)))
        defer {
            _ = snikket_setfsuid(before.user)
            _ = snikket_setfsgid(before.group)
        }
        // -1 is nobody, so these change nothing, and say who it is now.
        guard UInt32(bitPattern: snikket_setfsuid(.max)) == account.user, UInt32(bitPattern: snikket_setfsgid(.max)) == account.group else {
            throw FileError(.read, path, errno: EPERM)
        }
        return try body()
    }
}
