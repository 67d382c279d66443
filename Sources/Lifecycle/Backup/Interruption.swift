import Glibc

/// SIGINT and SIGTERM while something is being done: held back, and looked for between two steps, so that everything is cleaned up.
public enum Interruption {
    /// From here on. A closed pipe is an error of whoever writes, and no death.
    public static func hold() {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, number) }
        // Before there is another thread: those that come inherit it.
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    /// - Throws: ``BackupError/interrupted`` when one has come.
    static func check() throws(BackupError) {
        var pending = sigset_t()
        sigpending(&pending)
        if [SIGINT, SIGTERM, SIGHUP].contains(where: { sigismember(&pending, $0) == 1 }) { throw .interrupted }
    }
}
