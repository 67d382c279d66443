import Glibc
import Health
import LocalHTTP
import RealServers
import Synchronization
import Testing

@testable import Supervision

@Suite struct ServiceLifeTests {
    /// A real nginx, checked over HTTP.
    private static func nginx(_ scratch: Scratch) async throws -> ServiceSpecification {
        let nginx = try await Nginx(in: scratch, listensOnSocket: true)
        let probe = HTTPProbe(target: .tcp(host: "127.0.0.1", port: nginx.http), path: "/health", deadline: .seconds(2))
        var specification = ServiceSpecification(
            name: "nginx", executable: Nginx.executable, arguments: nginx.arguments, stopSignal: .quit, parentDeathSignal: .terminate,
            reloadSignal: .hangUp, readiness: .init { try await probe.check() },
            liveness: .init(interval: .milliseconds(50), retryInterval: .milliseconds(20), threshold: 3) { try await probe.check() })
        specification.staleFiles = [nginx.socket]
        return specification
    }

    @Test("a server that is killed is back and ready, its old children gone", .timeLimit(.minutes(2)))
    func killed() async throws {
        try await Fixture.with(Self.nginx) { fixture in
            try await fixture.service.waitUntilReady(deadline: .seconds(20))
            let first = try await fixture.pid
            // A master and two workers: the first answers before the second is there.
            try await until { members(ofGroup: first).count == 3 }
            kill(first, SIGKILL)
            try await fixture.waitForSuccessor(of: first)
            #expect(members(ofGroup: first).isEmpty)
            let snapshot = await fixture.service.snapshot()
            #expect(snapshot.restarts == 1)
            #expect(try #require(snapshot.memoryBytes) > 500_000)
            guard case .killed(signal: SIGKILL, _) = snapshot.lastProblem else {
                Issue.record("not the problem: \(String(describing: snapshot.lastProblem))")
                return
            }
        }
    }

    @Test(
        "a server that hangs is noticed and replaced, also when only its workers or its main process do", .timeLimit(.minutes(2)),
        arguments: [true, false])
    func hangs(isMaster: Bool) async throws {
        try await Fixture.with(Self.nginx) { fixture in
            try await fixture.service.waitUntilReady(deadline: .seconds(20))
            let changes = fixture.service.stateChanges()
            let first = try await fixture.pid
            try await until { members(ofGroup: first).count == 3 }
            for process in members(ofGroup: first) where (process == first) == isMaster { kill(process, SIGSTOP) }
            var states: [ServiceState] = []
            for await state in changes {
                states.append(state)
                if state == .ready { break }
            }
            #expect(states == [.unhealthy, .stopping, .starting, .ready])
            let snapshot = await fixture.service.snapshot()
            #expect(snapshot.restarts == 1)
            guard case .unhealthy(failures: 3, let check) = snapshot.lastProblem else {
                Issue.record("not the problem: \(String(describing: snapshot.lastProblem))")
                return
            }
            // Its workers go on answering when the main process is halted: that is the kernel's word. Otherwise it is the probe's.
            if isMaster { #expect(check is HaltedProcess) } else { #expect(check as? ProbeFailure == .timedOut) }
            #expect(members(ofGroup: first).isEmpty)
        }
    }

    @Test("one slow answer restarts nothing", .timeLimit(.minutes(2)))
    func oneBadAnswer() async throws {
        let answers = Answers(bad: 2)
        try await Fixture.with({ _ in
            ServiceSpecification(
                name: "sleep", executable: "/bin/sleep", arguments: ["1000"],
                liveness: .init(interval: .milliseconds(1), retryInterval: .milliseconds(1), threshold: 3) { try answers.next() })
        }) { fixture in
            try await until { answers.asked > 10 }
            let snapshot = await fixture.service.snapshot()
            #expect(snapshot.restarts == 0)
            #expect(snapshot.state == .ready)
        }
    }

    @Test("a server that ignores its stop signal is killed after the deadline, with what it started", .timeLimit(.minutes(2)))
    func ignoresStop() async throws {
        try await Fixture.with(
            Fixture.shell("trap '' TERM; sleep 1000 & echo up; while :; do sleep 1000; done", stopDeadline: .milliseconds(200))
        ) { fixture in
            try await fixture.service.waitUntilReady(deadline: .seconds(20))
            let pid = try await fixture.pid
            let begin = ContinuousClock.now
            await fixture.service.stop()
            let duration = ContinuousClock.now - begin
            #expect(duration >= .milliseconds(200))
            #expect(duration < .seconds(30))
            try await until { members(ofGroup: pid).isEmpty }
        }
    }

    @Test("a server that stops by itself gets the time, and leaves no children behind", .timeLimit(.minutes(2)))
    func leavesChildren() async throws {
        try await Fixture.with(Fixture.shell("trap 'echo bye; exit 0' TERM; sleep 1000 & echo up; wait")) { fixture in
            try await fixture.service.waitUntilReady(deadline: .seconds(20))
            let pid = try await fixture.pid
            #expect(members(ofGroup: pid).count == 2)
            await fixture.service.stop()
            #expect(fixture.lines == ["up", "bye"])
            try await until { members(ofGroup: pid).isEmpty }
            #expect(await fixture.service.snapshot().lastProblem == nil)
        }
    }

    @Test("the end of the task that runs a service ends the service", .timeLimit(.minutes(1)))
    func cancelled() async throws {
        try await Scratch.with { scratch in
            let service = SupervisedService(
                ServiceSpecification(name: "sleep", executable: "/bin/sleep", arguments: ["1000"]),
                sink: LogSink(folder: scratch.path, service: "sleep"))
            let pid = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await service.run() }
                try await service.waitUntilReady(deadline: .seconds(20))
                let pid = await service.snapshot().pid
                group.cancelAll()
                return pid
            }
            #expect(await service.state == .stopped)
            #expect(members(ofGroup: try #require(pid)).isEmpty)
        }
    }

    @Test("a stop right after the start leaves nothing", .timeLimit(.minutes(1)))
    func stoppedAtOnce() async throws {
        for _ in 0..<20 {
            try await Fixture.with({ _ in ServiceSpecification(name: "sleep", executable: "/bin/sleep", arguments: ["1000"]) }) { _ in }
        }
    }

    @Test("a reload is a signal, and ready again; without a signal it is refused", .timeLimit(.minutes(1)))
    func reload() async throws {
        try await Fixture.with(
            Fixture.shell("trap 'echo again' HUP; echo up; while :; do sleep 0.01; done", reloadSignal: .hangUp)
        ) { fixture in
            try await fixture.service.waitUntilReady(deadline: .seconds(20))
            let pid = try await fixture.pid
            try await fixture.service.reload()
            try await until { fixture.lines.contains("again") }
            #expect(try await fixture.pid == pid)
            #expect(await fixture.service.state == .ready)
        }
        try await Fixture.with(Fixture.shell("echo up; exec sleep 1000")) { fixture in
            try await fixture.service.waitUntilReady(deadline: .seconds(20))
            await #expect(throws: SupervisionError.self) { try await fixture.service.reload() }
        }
    }

    @Test("a server that does not do the reload that it is told is started again, which reads its files too", .timeLimit(.minutes(1)))
    func reloadNotDone() async throws {
        try await Fixture.with({ scratch in
            var specification = Fixture.shell("trap '' HUP; echo up; while :; do sleep 0.01; done", reloadSignal: .hangUp)(scratch)
            specification.beforeReload = { .init(deadline: .milliseconds(200)) { throw NotYet() } }
            return specification
        }) { fixture in
            try await fixture.service.waitUntilReady(deadline: .seconds(20))
            let first = try await fixture.pid
            try await fixture.service.reload()
            #expect(try await fixture.pid != first)
            let snapshot = await fixture.service.snapshot()
            #expect(snapshot.restarts == 1 && snapshot.state == .ready)
            guard case .notReady(_, _ as NotYet) = snapshot.lastProblem else {
                Issue.record("not the problem: \(String(describing: snapshot.lastProblem))")
                return
            }
        }
    }

    @Test("what is asked before a reload is asked before its signal", .timeLimit(.minutes(1)))
    func askedBeforeReload() async throws {
        try await Fixture.with({ scratch in
            var specification = Fixture.shell("trap 'echo again' HUP; echo up; while :; do sleep 0.01; done", reloadSignal: .hangUp)(scratch)
            let asked = scratch.path + "/asked"
            specification.beforeReload = {
                close(open(asked, O_WRONLY | O_CREAT, 0o600))
                try await Task.sleep(for: .milliseconds(200))
                return .init {}
            }
            return specification
        }) { fixture in
            try await fixture.service.waitUntilReady(deadline: .seconds(20))
            let reload = Task { try await fixture.service.reload() }
            try await until { access(fixture.scratch.path + "/asked", F_OK) == 0 }
            #expect(await fixture.service.state == .reloading)
            #expect(!fixture.lines.contains("again"))
            try await reload.value
            try await until { fixture.lines.contains("again") }
        }
    }

    /// Serves as soon as it is let: a file with that name is there.
    private static func waiting(for name: String, _ script: String) -> @Sendable (Scratch) -> ServiceSpecification {
        { scratch in
            var specification = Fixture.shell(script, reloadSignal: .hangUp)(scratch)
            let gate = scratch.path + "/" + name
            specification.readiness = .init { guard access(gate, F_OK) == 0 else { throw NotYet() } }
            return specification
        }
    }

    @Test("a reload that comes while it starts is told to it when it serves", .timeLimit(.minutes(1)))
    func reloadedWhileStarting() async throws {
        try await Fixture.with(
            Self.waiting(for: "gate", "trap 'echo again' HUP; echo up; while :; do sleep 0.01; done")
        ) { fixture in
            try await until { fixture.lines.contains("up") }
            #expect(await fixture.service.state == .starting)
            let reload = Task { try await fixture.service.reload() }
            try await until { await fixture.service.state == .starting }
            _ = try fixture.scratch.write("gate", "")
            try await reload.value
            try await until { fixture.lines.contains("again") }
            #expect(await fixture.service.snapshot().restarts == 0)
        }
    }

    @Test("a restart that comes while it starts ends with its successor, not with the one that was about to serve", .timeLimit(.minutes(1)))
    func restartedWhileStarting() async throws {
        let asked = Mutex(0)
        let (open, gate) = AsyncStream.makeStream(of: Void.self)
        try await Fixture.with({ scratch in
            var specification = Fixture.shell("echo up; exec sleep 1000")(scratch)
            // The first one's check is under way for as long as the test wants.
            specification.readiness = .init {
                let isFirst = asked.withLock { asked in
                    asked += 1
                    return asked == 1
                }
                if isFirst { for await _ in open { break } }
            }
            return specification
        }) { fixture in
            try await until { asked.withLock { $0 } == 1 }
            let first = try await fixture.pid
            let restart = Task { try await fixture.service.restart() }
            try await until { await fixture.service.state == .stopping }
            gate.yield()
            try await restart.value
            #expect(try await fixture.pid != first)
            #expect(await fixture.service.state == .ready)
        }
    }

    @Test("a wished restart comes at once and is no problem", .timeLimit(.minutes(1)))
    func restart() async throws {
        try await Fixture.with(Fixture.shell("echo up; exec sleep 1000")) { fixture in
            try await fixture.service.waitUntilReady(deadline: .seconds(20))
            let pid = try await fixture.pid
            try await fixture.service.restart()
            // Its successor serves already.
            #expect(try await fixture.pid != pid)
            #expect(await fixture.service.state == .ready)
            #expect(await fixture.service.snapshot().lastProblem == nil)
        }
    }
}

/// Some bad answers, then good ones.
private final class Answers: Sendable {
    private struct Bad: Error {}
    private let state: Mutex<(bad: Int, asked: Int)>

    init(bad: Int) { state = Mutex((bad, 0)) }

    var asked: Int { state.withLock { $0.asked } }

    func next() throws {
        try state.withLock { state in
            state.asked += 1
            guard state.asked > state.bad else { throw Bad() }
        }
    }
}
