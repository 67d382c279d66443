import DurableFiles
import Glibc
import Subprocess
import Synchronization
import SystemPackage

/// One process of a server, from its start to the end of its whole group.
///
/// Its session, and so its process group, is its own: a Ctrl-C on the terminal is not for it, and what it leaves behind can be found.
final class ServiceProcess: Sendable {
    enum End: Sendable {
        case cannotStart(errno: Int32)
        case exited(status: Int32)
        case killed(signal: Int32)
    }

    private enum Phase {
        case beforeStart(stopWith: ServiceSignal?)
        case running(pid: Int32)
        case gone
    }

    /// How many bytes may still be read after the end of the process: more than a pipe holds.
    private static let lastWords = 1 << 20

    private let phase = Mutex(Phase.beforeStart(stopWith: nil))
    private let sink: LogSink
    private let started: (stream: AsyncStream<Int32>, continuation: AsyncStream<Int32>.Continuation)

    init(sink: LogSink) {
        self.sink = sink
        started = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// The main process; nil before it started and after it ended.
    var pid: Int32? {
        phase.withLock { if case .running(let pid) = $0 { pid } else { nil } }
    }

    /// Whether there will be no process any more.
    var isGone: Bool {
        phase.withLock { if case .gone = $0 { true } else { false } }
    }

    /// Waits for the start. nil when there was none, or the task was cancelled.
    func start() async -> Int32? {
        for await pid in started.stream { return pid }
        return nil
    }

    /// Starts the process and returns when it and its group are gone. To be called once, in a task that nobody cancels.
    ///
    /// The process is forked by swift-subprocess's worker thread, which lives as long as we do: the parent-death signal
    /// follows the thread that forked, not the process.
    @concurrent
    func run(_ specification: ServiceSpecification) async -> End {
        defer { started.continuation.finish() }
        guard access(specification.executable, X_OK) == 0 else { return ended(.cannotStart(errno: errno)) }
        if let errno = Descriptors.shortageForProgram() { return ended(.cannotStart(errno: errno)) }
        removeStaleFiles(of: specification)
        Orphans.adopt()
        let mark = Orphans.Mark(specification)
        do {
            let result = try await Subprocess.run(
                configuration(of: specification, mark), input: .none, output: .sequence, error: .combinedWithOutput
            ) { execution in
                let pid = execution.processIdentifier.value
                begin(pid: pid)
                await take(execution.standardOutput, of: pid, mark)
                return pid
            }
            // It may have closed its output long before its end.
            await endFamily(of: result.closureResult, mark)
            switch result.terminationStatus {
            case .exited(let status): return ended(.exited(status: status))
            case .signaled(let signal): return ended(.killed(signal: signal))
            }
        } catch let error as SubprocessError {
            return ended(.cannotStart(errno: error.underlyingError?.rawValue ?? EIO))
        } catch {
            return ended(.cannotStart(errno: EIO))
        }
    }

    /// As the server's user: they lie in its own folder, where links may lie as well. One that cannot be removed is the server's to complain of.
    private func removeStaleFiles(of specification: ServiceSpecification) {
        for path in specification.staleFiles {
            _ = try? File.acting(as: geteuid() == 0 ? specification.account : nil, on: path) { () throws(FileError) in unlink(path) }
        }
    }

    private func configuration(of specification: ServiceSpecification, _ mark: Orphans.Mark) -> Configuration {
        var options = PlatformOptions()
        options.createSession = true
        var environment = Dictionary(
            specification.environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) }, uniquingKeysWith: { first, _ in first })
        environment[Environment.Key(stringLiteral: Orphans.Mark.variable)] = mark.value
        return Configuration(
            executable: .path(FilePath(Privileges.program)), arguments: Arguments(Privileges.arguments(for: specification)),
            environment: .custom(environment), workingDirectory: specification.workingDirectory.map { FilePath($0) }, platformOptions: options)
    }

    /// Takes what is printed until the process has ended, and ends what it left.
    ///
    /// The end of the process (pidfd_open(2), which swift-subprocess watches) is the end of the output too, whoever else still holds the pipe.
    private func take(_ output: SubprocessOutputSequence, of pid: Int32, _ mark: Orphans.Mark) async {
        var lines = LineSplitter()
        var lastWords = Self.lastWords
        do {
            for try await buffer in output {
                buffer.withUnsafeBytes { sink.take($0, into: &lines) }
                guard hasEnded(pid) else { continue }
                // Its last words are in the pipe; but what it left may be printing without an end.
                await endFamily(of: pid, mark)
                lastWords -= buffer.count
                if lastWords < 0 { break }
            }
        } catch {
            sink.write(["(what follows could not be read: \(error))"])
        }
        if let last = lines.finish() { sink.write([last]) }
        if hasEnded(pid) { await endFamily(of: pid, mark) }
    }

    private func begin(pid: Int32) {
        phase.withLock { phase in
            if case .beforeStart(let signal?) = phase { Glibc.kill(pid, signal.rawValue) }
            phase = .running(pid: pid)
        }
        started.continuation.yield(pid)
    }

    /// Whether the process has ended. It stays to be waited for, so its number cannot mean anybody else.
    private func hasEnded(_ pid: Int32) -> Bool {
        var info = siginfo_t()
        return waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_signo == SIGCHLD
    }

    /// Kills what the ended process left, and returns when it is gone: its group, then whoever has left that.
    private func endFamily(of pid: Int32, _ mark: Orphans.Mark) async {
        let isDone = phase.withLock { phase in
            guard case .running = phase else { return true }
            Glibc.kill(-pid, SIGKILL)
            phase = .gone
            return false
        }
        if !isDone { await Orphans.end(ofSession: pid, mark) }
    }

    private func ended(_ end: End) -> End {
        phase.withLock { $0 = .gone }
        return end
    }

    /// Sends a signal to the main process; to nobody when it is gone. Before the start it is kept for it.
    func send(_ signal: ServiceSignal) {
        phase.withLock { phase in
            switch phase {
            case .beforeStart: phase = .beforeStart(stopWith: signal)
            case .running(let pid):
                Glibc.kill(pid, signal.rawValue)
                // A process that was halted could not obey.
                Glibc.kill(-pid, SIGCONT)
            case .gone: break
            }
        }
    }

    /// Kills the whole process group.
    func kill() {
        phase.withLock { phase in
            switch phase {
            case .beforeStart: phase = .beforeStart(stopWith: .kill)
            case .running(let pid): Glibc.kill(-pid, SIGKILL)
            case .gone: break
            }
        }
    }
}
