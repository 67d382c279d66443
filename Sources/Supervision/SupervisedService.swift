public import Logging
import SystemPackage

/// One server: started, watched, started again when it fails, reloaded, stopped.
///
/// ``run()`` is its life; ``stop()`` or the end of the task that runs it ends it in good order. At most one process of it
/// exists at any time, and none when ``run()`` has returned.
public actor SupervisedService {
    /// How it is started and watched.
    public nonisolated let specification: ServiceSpecification
    let sink: LogSink
    let pace: Pace
    private let chance: @Sendable () -> Double
    private let logger: Logger
    private nonisolated let changes = StateChanges()

    /// Where it is in its life. Looked at again after every `await`.
    public internal(set) var state = ServiceState.stopped {
        didSet {
            guard state != oldValue else { return }
            since = .now()
            logger.debug("service state", metadata: ["service": "\(specification.name)", "state": "\(state.name)"])
            changes.tell(state)
        }
    }
    private var since = Timestamp.now()
    /// The task that ``run()`` waits for; cancelled by ``stop()``.
    private var life: Task<Void, Never>?
    var process: ServiceProcess?
    var processSince: Timestamp?
    /// The watch's pause; cancelled to make it look at `wish` at once.
    var nap: Task<Void, Never>?
    var wish: Wish?
    private var restarts = 0
    private var failures = 0
    private var recent: RecentFailures
    var readySince: Duration?
    var lastProblem: ServiceProblem? { didSet { lastProblemAt = .now() } }
    private var lastProblemAt: Timestamp?

    enum Wish { case reload, restart }
    /// How a process's time ended.
    enum Ending {
        case problem(ServiceProblem)
        case wished
    }

    /// A stopped service.
    ///
    /// - Parameters:
    ///   - specification: how it is started and watched.
    ///   - sink: where the lines go that it prints.
    ///   - clock: what paces restarts and liveness checks.
    ///   - chance: the jitter of pauses, from -1 to 1.
    ///   - logger: told of state changes and problems.
    public init(
        _ specification: ServiceSpecification, sink: LogSink, clock: some Clock<Duration> = ContinuousClock(),
        chance: @escaping @Sendable () -> Double = { .random(in: -1...1) }, logger: Logger = Logger(label: "supervision")
    ) {
        self.specification = specification
        self.sink = sink
        self.pace = Pace(clock: clock)
        self.chance = chance
        self.logger = logger
        recent = RecentFailures(specification.restart)
    }

    /// Each change of the state from now on.
    public nonisolated func stateChanges() -> AsyncStream<ServiceState> { changes.listen() }

    /// Everything there is to say now.
    ///
    /// - Parameter withMemory: whether to read the memory from /proc, which takes about a millisecond.
    public func snapshot(withMemory: Bool = true) -> ServiceSnapshot {
        let pid = process?.pid
        return ServiceSnapshot(
            name: specification.name, state: state, pid: pid, since: (pid == nil ? nil : processSince) ?? since, restarts: restarts,
            memoryBytes: withMemory ? pid.flatMap { ProcessTable.memory(ofGroup: $0, runningAs: specification.account) } : nil,
            lastProblem: lastProblem, lastProblemAt: lastProblemAt, failsOften: recent.areOften(at: pace.now()))
    }

    /// Starts the server and keeps it running; returns when it has been stopped. A second call waits for the first.
    public func run() async {
        // A task of its own, so that stop() can end it from outside; it is always waited for.
        let life = life ?? Task { await self.live() }
        self.life = life
        await withTaskCancellationHandler {
            await life.value
        } onCancel: {
            life.cancel()
        }
    }

    /// Stops the server in good order; returns when its whole process group is gone.
    public func stop() async {
        guard let life else { return }
        life.cancel()
        await life.value
    }

    /// Makes the server read its files again; returns when it serves again. One that is being started, or reads them already, may have read the old
    /// ones: it is told when it serves.
    ///
    /// - Parameter deadline: how long that may take.
    /// - Throws: ``SupervisionError``
    public func reload(deadline: Duration = .seconds(30)) async throws(SupervisionError) {
        guard specification.reloadSignal != nil else { throw .cannotReload(service: specification.name) }
        let isLeaving = life?.isCancelled ?? true
        switch state {
        case .starting, .reloading: try await waitUntilServing(deadline: deadline)
        // Its successor reads them.
        case .stopping where !isLeaving: return try await waitUntilServing(deadline: deadline)
        default: break
        }
        guard state == .ready || state == .unhealthy else { throw .notRunning(service: specification.name) }
        wish = .reload
        // Told by who watches it, between two checks.
        state = .reloading
        nap?.cancel()
        try await waitUntilReady(deadline: deadline)
    }

    /// Stops the server in good order and starts it again, without a pause; returns when it serves again. One that has failed and waits is
    /// started at once, with its failures forgotten.
    ///
    /// - Parameter deadline: how long that may take.
    /// - Throws: ``SupervisionError``
    public func restart(deadline: Duration = .seconds(60)) async throws(SupervisionError) {
        switch state {
        case .backingOff, .failed: failures = 0
        case .stopped, .stopping: throw .notRunning(service: specification.name)
        case .starting, .ready, .unhealthy, .reloading: wish = .restart
        }
        // Not ready from now on, so that the wait below is for its successor.
        state = .stopping
        nap?.cancel()
        try await waitUntilReady(deadline: deadline)
    }

    /// As ``waitUntilReady(deadline:)``, for who wants something of a server that serves: one that does not come up is not there for that.
    private func waitUntilServing(deadline: Duration) async throws(SupervisionError) {
        do throws(SupervisionError) {
            try await waitUntilReady(deadline: deadline)
        } catch {
            if case .cancelled = error { throw error }
            throw .notRunning(service: specification.name)
        }
    }

    /// Waits until the server serves.
    ///
    /// - Parameter deadline: how long from now.
    /// - Throws: ``SupervisionError``; at once when the service counts as failed.
    public func waitUntilReady(deadline: Duration) async throws(SupervisionError) {
        let changes = stateChanges()
        if state == .ready { return }
        if case .failed = state { throw .notReady(service: specification.name, state: state, problem: lastProblem) }
        do {
            try await withDeadline(deadline) {
                for await state in changes {
                    if state == .ready { return }
                    if case .failed = state { throw DeadlinePassed() }
                }
                try Task.checkCancellation()
            }
        } catch is CancellationError {
            throw .cancelled
        } catch {
            guard state != .ready else { return }
            throw .notReady(service: specification.name, state: state, problem: lastProblem)
        }
    }

    /// Returns when the thread that starts every program, and hears of its end, has answered. While there can be no such thread, nothing hangs in it.
    public static func launcherAnswers() async {
        guard let launcher = try? Launcher.running() else { return }
        await launcher.perform { _ in }
    }

    /// Ends whatever any server has left, even what hid itself so well that it could not be told whose it is. For when no server runs any more.
    public static func endOrphans() async {
        await Orphans.endAll()
    }

    // MARK: - Its life

    private func live() async {
        failures = 0
        while !Task.isCancelled {
            switch await oneProcess() {
            case .wished: break
            case .problem(let problem):
                // A problem after stop() is no problem: it was told to end.
                if Task.isCancelled { break }
                lastProblem = problem
                await pause(after: problem)
            }
            restarts += Task.isCancelled ? 0 : 1
        }
        await Task { [sink] in await sink.settle() }.value
        state = .stopped
        life = nil
    }

    private func pause(after problem: ServiceProblem) async {
        let policy = specification.restart
        let wasStable = readySince.map { pace.now() - $0 >= policy.stableAfter } ?? false
        failures = wasStable ? 1 : failures + 1
        if wasStable { recent.note(at: pace.now()) }
        let pause = policy.pause(after: failures, chance: chance())
        let hasFailed = failures >= policy.failedAfter
        // Loud once; the tries that follow say nothing new.
        logger.log(
            level: failures == policy.failedAfter ? .error : hasFailed ? .info : .warning,
            hasFailed ? "service keeps failing, and is tried again now and then" : "service failed",
            metadata: ["service": "\(specification.name)", "problem": "\(problem)", "pause": "\(pause)"])
        guard pause > .zero else { return }
        let until = Timestamp.now() + pause
        state = hasFailed ? .failed(until: until) : .backingOff(until: until)
        await rest(for: pause)
    }

    /// One process, from its start to the end of its group.
    private func oneProcess() async -> Ending {
        let process = ServiceProcess(sink: sink)
        self.process = process
        (wish, readySince) = (nil, nil)
        state = .starting
        if let conflict = await portConflict() {
            self.process = nil
            return .problem(.portTaken(conflict))
        }
        // Its own task: the end of a cancelled service still has to be seen. It is always waited for.
        let running = Task { [specification] in await process.run(specification) }
        let verdict = await withTaskGroup(of: Ending?.self) { group in
            group.addTask {
                _ = await running.value
                return nil
            }
            group.addTask { await self.watch(process) }
            let first = await group.next() ?? nil
            group.cancelAll()
            if !process.isGone { await end(process, running, because: first) }
            return first
        }
        let result = await running.value
        self.process = nil
        return verdict ?? .problem(problem(of: result))
    }

    /// Who has a port that the server needs; nil when all are free.
    private func portConflict() async -> PortConflict? {
        let ports = specification.ports
        guard PortCheck.isTaken(ports) else { return nil }
        // What is left of its predecessor may be ending only now.
        for _ in 0..<20 {
            try? await Task.sleep(for: .milliseconds(50))
            if Task.isCancelled || !PortCheck.isTaken(ports) { return nil }
        }
        return PortCheck.conflicts(with: ports).first
    }

    private func problem(of end: Result<Child.End, Errno>) -> ServiceProblem {
        switch end {
        case .failure(let error): .cannotStart(errno: error.rawValue)
        case .success(.exited(let status)): .exited(status: status, lastLine: sink.lastLine)
        case .success(.killed(let signal)): .killed(signal: signal, lastLine: sink.lastLine)
        }
    }

    /// Stops a process: its signal, its deadline, then the whole group's end.
    private func end(_ process: ServiceProcess, _ running: Task<Result<Child.End, Errno>, Never>, because ending: Ending?) async {
        var deadline = specification.stopDeadline
        if case .problem = ending {
            // It hangs: it gets a moment to end by itself, no more.
            deadline = min(deadline, .seconds(2))
        }
        state = .stopping
        process.send(specification.stopSignal)
        // Not cancelled with the service: this is what happens then.
        let killer = Task {
            do {
                try await Task.sleep(for: deadline)
                process.kill()
            } catch {}
        }
        _ = await running.value
        killer.cancel()
        await killer.value
    }
}
