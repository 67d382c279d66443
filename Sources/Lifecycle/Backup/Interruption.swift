import Glibc
import Synchronization

/// SIGINT, SIGTERM and SIGHUP while something is being done: noted, and looked for between two steps, so that everything is cleaned up.
///
/// They cannot be held back by a mask: the thread that began the program waits with an empty one while others work (libdispatch's dispatch_main, which uses
/// sigsuspend(2)), and a signal that nothing handles would end the program there.
public enum Interruption {
    private static let signals = [SIGINT, SIGTERM, SIGHUP]

    /// From here on. A closed pipe is an error of whoever writes, and no death.
    public static func hold() {
        guard doorbell.load(ordering: .relaxed) < 0 else { return }
        var ends: [Int32] = [-1, -1]
        // Without it a signal is still noted; only nobody who waits is woken.
        if pipe(&ends) == 0 {
            for end in ends {
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
                _ = fcntl(end, F_SETFL, O_NONBLOCK)
            }
        }
        awakening.store(ends[0], ordering: .relaxed)
        doorbell.store(ends[1], ordering: .relaxed)
        for number in signals {
            var before = sigaction()
            // Who ignores them (nohup) wants it to go on.
            guard sigaction(number, nil, &before) == 0, unsafeBitCast(before.__sigaction_handler.sa_handler, to: Int.self) != ignored else {
                continue
            }
            var action = sigaction()
            action.__sigaction_handler.sa_handler = note
            action.sa_flags = SA_RESTART
            sigaction(number, &action, nil)
        }
        signal(SIGPIPE, SIG_IGN)
    }

    /// Whether one has come.
    public static var hasCome: Bool { told.load(ordering: .relaxed) }

    /// - Throws: ``BackupError/interrupted`` when one has come.
    public static func check() throws(BackupError) {
        if hasCome { throw .interrupted }
    }

    /// Waits until something can be read, or one has come.
    public static func wait(for descriptor: Int32) throws(BackupError) {
        var polled = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: awakening.load(ordering: .relaxed), events: Int16(POLLIN), revents: 0),
        ]
        while poll(&polled, nfds_t(polled.count), -1) < 0, errno == EINTR {}
        try check()
    }

    /// SIG_IGN, which is a pointer in C.
    private static let ignored = 1
}

private let told = Atomic<Bool>(false)
private let awakening = Atomic<Int32>(-1)
/// A signal's handler may do little more than write (signal-safety(7)).
private let doorbell = Atomic<Int32>(-1)

private func note(_ number: Int32) {
    let problem = errno
    told.store(true, ordering: .relaxed)
    var byte: UInt8 = 0
    _ = write(doorbell.load(ordering: .relaxed), &byte, 1)
    errno = problem
}
