import Glibc

/// Signals that ask for nothing here, but would end the program: a stray one must not take a chat server down.
enum IdleSignals {
    private static let all = [SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPIPE]

    /// From now on they do nothing.
    static func takeNoNotice() {
        // A handler and not SIG_IGN, which the servers would inherit.
        for number in all { signal(number) { _ in } }
    }
}
