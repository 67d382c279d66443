import Dispatch
import Glibc
import Synchronization

/// Where the signal handler writes to; it may do little else.
private let alarm = Atomic<Int32>(-1)

/// Does the work, and cancels it when the process is told to stop (SIGINT, SIGTERM): so that what it has put in place is taken away
/// again. Told a second time, the process ends at once.
func untilInterrupted<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
    var ends: (Int32, Int32) = (-1, -1)
    let made = withUnsafeMutablePointer(to: &ends) { $0.withMemoryRebound(to: Int32.self, capacity: 2) { pipe($0) } }
    guard made == 0 else { return try await work() }
    for end in [ends.0, ends.1] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let (reading, writing) = ends
    alarm.store(writing, ordering: .releasing)
    for number in [SIGINT, SIGTERM] {
        var action = sigaction()
        // Not ignored: the programs that we start would ignore it as well.
        action.__sigaction_handler.sa_handler = { _ in
            var byte: UInt8 = 1
            let before = errno
            _ = write(alarm.load(ordering: .acquiring), &byte, 1)
            errno = before
        }
        action.sa_flags = SA_RESTART | Int32(bitPattern: UInt32(SA_RESETHAND))
        sigaction(number, &action, nil)
    }
    defer {
        for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
        alarm.store(-1, ordering: .releasing)
        // Whoever waits for a signal reads the end.
        close(writing)
    }
    let task = Task { try await work() }
    DispatchQueue.global().async {
        var byte: UInt8 = 0
        while true {
            let count = read(reading, &byte, 1)
            if count < 0, errno == EINTR { continue }
            if count > 0 { task.cancel() }
            close(reading)
            return
        }
    }
    return try await task.value
}
