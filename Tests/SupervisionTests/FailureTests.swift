import Glibc
import Logging
import RealServers
import Synchronization
import Testing

@testable import Supervision

@Suite struct FailureTests {
    @Test("a crash loop gets growing pauses, then counts as failed, and is tried again at long intervals", .timeLimit(.minutes(1)))
    func crashLoop() async throws {
        let clock = RememberingClock()
        let policy = RestartPolicy(firstPause: .seconds(1), longestPause: .seconds(5), failedAfter: 7, failedPause: .seconds(300))
        try await Fixture.with(
            { _ in
                ServiceSpecification(
                    name: "loop", executable: "/bin/sh", arguments: ["-c", "echo the reason >&2; exit 3"], restart: policy)
            }, clock: clock
        ) { fixture in
            let changes = fixture.service.stateChanges()
            for await state in changes {
                if case .failed = state { break }
            }
            try await until { clock.sleeps.count >= 7 }
            // The first restart comes at once: no pause at all.
            #expect(clock.sleeps.prefix(7) == [.seconds(1), .seconds(2), .seconds(4), .seconds(5), .seconds(5), .seconds(300), .seconds(300)])
            guard case .exited(status: 3, lastLine: "the reason") = await fixture.service.snapshot().lastProblem else {
                Issue.record("not the problem")
                return
            }
        }
    }

    @Test("a server that keeps failing is an error in the log, once, with its name and its reason", .timeLimit(.minutes(1)))
    func loudOnce() async throws {
        let clock = RememberingClock()
        let log = RememberedLog()
        try await Fixture.with(
            { _ in
                ServiceSpecification(
                    name: "loop", executable: "/bin/sh", arguments: ["-c", "echo the reason >&2; exit 3"], restart: RestartPolicy(failedAfter: 3))
            }, clock: clock, logger: Logger(label: "test") { _ in log }
        ) { _ in
            try await until { clock.sleeps.count >= 6 }
            let errors = log.lines.filter { $0.level == .error }
            #expect(errors.count == 1)
            #expect(errors.first?.text.contains("loop") == true && errors.first?.text.contains("the reason") == true)
            #expect(log.lines.filter { $0.level == .warning }.count == 2)
        }
    }

    @Test("a pause grows, has its bounds, and chance moves it by a fifth")
    func pauses() {
        let policy = RestartPolicy()
        #expect(policy.pause(after: 1, chance: 1) == .zero)
        #expect(policy.pause(after: 2, chance: 0) == .milliseconds(250))
        #expect(policy.pause(after: 3, chance: 0) == .milliseconds(500))
        #expect(policy.pause(after: 7, chance: 0) == .seconds(8))
        #expect(policy.pause(after: 8, chance: 0) == .seconds(300))
        #expect(policy.pause(after: 8, chance: -1) == .seconds(240))
        #expect(policy.pause(after: 2, chance: 1) > .milliseconds(299))
        #expect(policy.pause(after: 2, chance: -1) < .milliseconds(201))
    }

    @Test("a server that dies again and again, each time after it was well, fails often, until it has not for as long", .timeLimit(.minutes(1)))
    func often() async throws {
        let policy = RestartPolicy(stableAfter: .zero, oftenAfter: 3, oftenWithin: .seconds(10))
        try await Fixture.with(Fixture.shell("echo up; exec sleep 1000", restart: policy)) { fixture in
            let service = fixture.service
            try await service.waitUntilReady(deadline: .seconds(20))
            for count in 1...3 {
                let pid = try await fixture.pid
                #expect(await !service.snapshot().failsOften)
                kill(pid, SIGKILL)
                try await fixture.waitForSuccessor(of: pid)
                #expect(await service.snapshot().restarts == count)
            }
            // Ready, and started again at once each time: only this says that something is wrong.
            #expect(await service.snapshot().state == .ready)
            #expect(await service.snapshot().failsOften)
            try await until(within: .seconds(40)) { await !service.snapshot().failsOften }
        }
    }

    @Test("failures count for an hour; often stays often until an hour has passed without one")
    func recentFailures() {
        var recent = RecentFailures(RestartPolicy())
        // One every twenty minutes is not often.
        for number in 0..<20 {
            recent.note(at: .seconds(1_200 * number))
            #expect(!recent.areOften(at: .seconds(1_200 * number)))
        }
        let start = 1_200 * 19
        for number in 1...4 { recent.note(at: .seconds(start + 67 * number)) }
        let last = start + 67 * 4
        #expect(recent.areOften(at: .seconds(last)))
        #expect(recent.areOften(at: .seconds(last + 3_599)))
        #expect(!recent.areOften(at: .seconds(last + 3_600)))
        // A single one, forty minutes later, has it last longer.
        recent.note(at: .seconds(last + 2_400))
        #expect(recent.areOften(at: .seconds(last + 2_400 + 3_599)))
        #expect(!recent.areOften(at: .seconds(last + 2_400 + 3_600)))
        recent.note(at: .seconds(last + 10_000))
        #expect(!recent.areOften(at: .seconds(last + 10_000)))
    }

    @Test("a program that is not there says so, and waiting for it ends with its reason", .timeLimit(.minutes(1)))
    func missing() async throws {
        try await Fixture.with({ _ in
            ServiceSpecification(name: "missing", executable: "/nonexistent/program", restart: RestartPolicy(failedAfter: 2))
        }) { fixture in
            await #expect { try await fixture.service.waitUntilReady(deadline: .seconds(20)) } throws: { error in
                guard case SupervisionError.notReady("missing", .failed, .cannotStart(errno: ENOENT)?) = error else { return false }
                return true
            }
        }
    }

    @Test("a server that never serves is replaced after its deadline, and the last check's reason is kept", .timeLimit(.minutes(1)))
    func neverReady() async throws {
        try await Fixture.with({ _ in
            ServiceSpecification(
                name: "mute", executable: "/bin/sleep", arguments: ["1000"], readiness: .init(deadline: .milliseconds(100)) { throw NotYet() })
        }) { fixture in
            try await until { await fixture.service.snapshot().restarts > 0 }
            guard case .notReady(_, is NotYet) = await fixture.service.snapshot().lastProblem else {
                Issue.record("not the problem")
                return
            }
        }
    }

    @Test("waiting for a service has its deadline")
    func waitingEnds() async throws {
        try await Fixture.with({ _ in
            ServiceSpecification(
                name: "slow", executable: "/bin/sleep", arguments: ["1000"], readiness: .init { try await Task.sleep(for: .seconds(1000)) })
        }) { fixture in
            await #expect { try await fixture.service.waitUntilReady(deadline: .milliseconds(50)) } throws: { error in
                guard case SupervisionError.notReady("slow", .starting, nil) = error else { return false }
                return true
            }
        }
    }
}

/// Keeps what is logged.
private final class RememberedLog: LogHandler {
    private let kept = Mutex<[(level: Logger.Level, text: String)]>([])

    var lines: [(level: Logger.Level, text: String)] { kept.withLock { $0 } }

    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        kept.withLock { $0.append((event.level, "\(event.message) \(event.metadata ?? [:])")) }
    }
}
