/// Where a server is in its life.
public enum ServiceState: Sendable, Equatable {
    /// Not running, and not wanted to.
    case stopped
    /// Started, and not yet serving.
    case starting
    /// Serving.
    case ready
    /// Running, but its last answers were bad.
    case unhealthy
    /// Reading its files again.
    case reloading
    /// Told to stop, and not yet gone.
    case stopping
    /// Failed; started again at that moment.
    case backingOff(until: Timestamp)
    /// Failed too often; tried again at that moment.
    case failed(until: Timestamp)

    /// Whether it has failed and waits for its next start.
    public var isPausing: Bool {
        switch self {
        case .backingOff, .failed: true
        case .stopped, .starting, .ready, .unhealthy, .reloading, .stopping: false
        }
    }

    /// The state's name for status reports: `ready`, `backing-off`.
    public var name: String {
        switch self {
        case .stopped: "stopped"
        case .starting: "starting"
        case .ready: "ready"
        case .unhealthy: "unhealthy"
        case .reloading: "reloading"
        case .stopping: "stopping"
        case .backingOff: "backing-off"
        case .failed: "failed"
        }
    }
}

/// Why a server had to be started again.
public enum ServiceProblem: Error, Sendable {
    /// There was no process to begin with.
    case cannotStart(errno: Int32)
    /// Another program has a port of it.
    case portTaken(PortConflict)
    /// It ended by itself. `lastLine` is the last that it printed.
    case exited(status: Int32, lastLine: String?)
    /// A signal that we did not send ended it.
    case killed(signal: Int32, lastLine: String?)
    /// It did not serve in time; why the last check failed.
    case notReady(after: Duration, check: any Error)
    /// It stopped serving; why the last of so many checks failed.
    case unhealthy(failures: Int, check: any Error)
    /// It serves, but not all that it should.
    case impaired(ServiceImpaired)
}

extension ServiceProblem: CustomStringConvertible {
    /// In words, for status reports.
    public var description: String {
        func quoted(_ line: String?) -> String { line.map { ": \($0)" } ?? "" }
        return switch self {
        case .cannotStart(let errno): "cannot be started: \(message(of: errno))"
        case .portTaken(let conflict): "cannot be started: \(conflict)"
        case .exited(let status, let line): "ended with status \(status)\(quoted(line))"
        case .killed(let signal, let line): "ended by signal \(signal)\(quoted(line))"
        case .notReady(let time, let check): "not serving after \(time.components.seconds) s: \(check)"
        case .impaired(let what): "does not serve all that it should: \(what)"
        case .unhealthy(let failures, let check): "stopped serving (\(failures) checks failed): \(check)"
        }
    }
}

/// Everything there is to say about a server at one moment.
public struct ServiceSnapshot: Sendable {
    /// The server's name.
    public var name: String
    /// Where it is in its life.
    public var state: ServiceState
    /// Its main process; nil when there is none.
    public var pid: Int32?
    /// When its process started; without a process, when it came into this state.
    public var since: Timestamp
    /// How often it was started again.
    public var restarts: Int
    /// The memory of its processes, shared pages counted in parts (PSS); nil when there is none or it cannot be read.
    public var memoryBytes: Int?
    /// Why it was last started again, or why a check failed lately; nil when nothing ever happened.
    public var lastProblem: ServiceProblem?
    /// When that was.
    public var lastProblemAt: Timestamp?
    /// Whether it comes back each time, and has failed too often lately (``RestartPolicy/oftenAfter``).
    public var failsOften = false
}

/// Why something asked of a server did not happen.
public enum SupervisionError: Error, Sendable {
    /// It is not ready, so `deadline` passed; its state then, and its last problem.
    case notReady(service: String, state: ServiceState, problem: ServiceProblem?)
    /// There is no process that could reload.
    case notRunning(service: String)
    /// It has no reload signal.
    case cannotReload(service: String)
    /// The waiting task was cancelled.
    case cancelled
}

extension SupervisionError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notReady(_, let state, let problem): problem.map { "\($0)" } ?? "it is \(state.name)"
        case .notRunning: "it is not running"
        case .cannotReload: "it reads its files at its start only"
        case .cancelled: "everything was told to stop"
        }
    }
}
