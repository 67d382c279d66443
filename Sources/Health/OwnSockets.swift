import Glibc

/// Whether this process can ask anybody: without a socket of our own, no answer says anything about a server.
public enum OwnSockets {
    /// Whether another one is to be had now: the limit of open files, or the machine's memory, may stand against it.
    public static var areToBeHad: Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        close(descriptor)
        return true
    }
}
