import Glibc

/// A deadline passed.
struct DeadlinePassed: Error, CustomStringConvertible {
    var description: String { "no answer in time" }
}

/// Runs `body` and cancels it when it takes too long.
///
/// - Throws: ``DeadlinePassed``, or what `body` throws.
func withDeadline<Result: Sendable>(_ deadline: Duration, _ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
    try await withThrowingTaskGroup(of: Result.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: deadline)
            throw DeadlinePassed()
        }
        defer { group.cancelAll() }
        guard let result = try await group.next() else { throw DeadlinePassed() }
        return result
    }
}

/// What strerror(3) says.
func message(of code: Int32) -> String {
    String(cString: strerror(code))
}

/// What paces a service: pauses, intervals, how long it was stable. Deadlines are always real time, since they measure other processes.
struct Pace: Sendable {
    /// Time since some fixed moment.
    let now: @Sendable () -> Duration
    /// Waits, or throws when cancelled.
    let sleep: @Sendable (Duration) async throws -> Void

    init<C: Clock<Duration>>(clock: C) {
        let start = clock.now
        now = { start.duration(to: clock.now) }
        // What is long may be a little longer: then several wake up together, and the processor sleeps on in between.
        sleep = { try await clock.sleep(for: $0, tolerance: $0 >= .seconds(5) ? .seconds(1) : nil) }
    }
}
