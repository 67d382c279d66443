import Glibc
import Logging
import RealServers
import Synchronization
import SystemPackage
import Testing

@testable import Supervision

/// A service that runs for as long as a test takes, in a folder of its own.
struct Fixture: Sendable {
    let service: SupervisedService
    let scratch: Scratch

    static func with(
        _ specification: @escaping @Sendable (Scratch) async throws -> ServiceSpecification, clock: some Clock<Duration> = ContinuousClock(),
        logger: Logger = Logger(label: "supervision"), _ body: @escaping @Sendable (Fixture) async throws -> Void
    ) async throws {
        try await Scratch.with { scratch in
            let specification = try await specification(scratch)
            let sink = LogSink(folder: scratch.path, service: specification.name)
            let service = SupervisedService(specification, sink: sink, clock: clock, chance: { 0 }, logger: logger)
            let fixture = Fixture(service: service, scratch: scratch)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await service.run() }
                do {
                    try await body(fixture)
                } catch {
                    group.cancelAll()
                    throw error
                }
                await service.stop()
                // It may not even have begun.
                group.cancelAll()
            }
            #expect(await service.state == .stopped)
            #expect(await service.snapshot().pid == nil)
        }
    }

    /// A service made of a few lines of shell, ready when it has printed `up`.
    static func shell(
        _ script: String, stopDeadline: Duration = .seconds(10), reloadSignal: ServiceSignal? = nil, restart: RestartPolicy = .init()
    ) -> @Sendable (Scratch) -> ServiceSpecification {
        { scratch in
            ServiceSpecification(
                name: "script", executable: "/bin/sh", arguments: ["-c", script], stopDeadline: stopDeadline, reloadSignal: reloadSignal,
                readiness: .init { guard LogReader.lines("script", in: scratch).contains("up") else { throw NotYet() } }, restart: restart)
        }
    }

    /// What the service printed so far.
    var lines: [String] { LogReader.lines(service.specification.name, in: scratch) }

    /// The main process. Fails the test when there is none.
    var pid: Int32 {
        get async throws { try #require(await service.snapshot().pid) }
    }

    /// Waits until the service is ready with another process than this.
    func waitForSuccessor(of pid: Int32) async throws {
        try await until {
            let snapshot = await service.snapshot()
            return snapshot.state == .ready && snapshot.pid != nil && snapshot.pid != pid
        }
    }
}

extension LogReader {
    static func lines(_ service: String, in scratch: Scratch) -> [String] {
        var reader = LogReader(folder: scratch.path, services: [service])
        return reader.last(1000).map(\.text)
    }
}

/// The processes of a group that still do something.
func members(ofGroup group: Int32) -> [Int32] {
    ProcessTable.processes().filter { ProcessTable.group(of: $0) == group }
}

/// The processes that still do something and have a word on their command line.
func processes(marked word: String) -> [Int32] {
    ProcessTable.processes().filter { pid in
        ProcessTable.group(of: pid) != nil && ProcessTable.read("/proc/\(pid)/cmdline")?.split(separator: "\0").contains(Substring(word)) == true
    }
}

/// A clock whose every sleep is over at once; it remembers how long they would have been.
final class RememberingClock: Clock, Sendable {
    struct Instant: InstantProtocol {
        var offset: Duration
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private let state = Mutex((now: Instant(offset: .zero), sleeps: [Duration]()))

    var now: Instant { state.withLock { $0.now } }
    var sleeps: [Duration] { state.withLock { $0.sleeps } }
    var minimumResolution: Duration { .nanoseconds(1) }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        state.withLock { state in
            state.sleeps.append(state.now.duration(to: deadline))
            state.now = max(state.now, deadline)
        }
        await Task.yield()
    }
}

/// A check's answer.
struct NotYet: Error {}
