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
        removeStaleFiles(of: specification)
        do {
            let result = try await Subprocess.run(
                configuration(of: specification), input: .none, output: .sequence, error: .combinedWithOutput
            ) { execution in
                begin(pid: execution.processIdentifier.value)
                var lines = LineSplitter()
                do {
                    for try await buffer in execution.standardOutput {
                        sink.write(buffer.withUnsafeBytes { lines.feed($0) })
                    }
                } catch {
                    sink.write(["(what follows could not be read: \(error))"])
                }
                if let last = lines.finish() { sink.write([last]) }
                endGroup(of: execution.processIdentifier.value)
            }
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

    private func configuration(of specification: ServiceSpecification) -> Configuration {
        var options = PlatformOptions()
        options.createSession = true
        let environment = Dictionary(
            specification.environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) }, uniquingKeysWith: { first, _ in first })
        return Configuration(
            executable: .path(FilePath(Privileges.program)),
            arguments: Arguments(
                Privileges.options(for: specification) + ["--", specification.executable] + specification.arguments),
            environment: .custom(environment),
            workingDirectory: specification.workingDirectory.map { FilePath($0) },
            platformOptions: options)
    }

    private func begin(pid: Int32) {
        phase.withLock { phase in
            if case .beforeStart(let signal?) = phase { Glibc.kill(pid, signal.rawValue) }
            phase = .running(pid: pid)
        }
        started.continuation.yield(pid)
    }

    /// Kills what the process left behind. It has not been waited for yet, so its number cannot mean anybody else.
    private func endGroup(of pid: Int32) {
        var info = siginfo_t()
        let hasEnded = waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_signo == SIGCHLD
        // It only closed its output: its end is still to come.
        guard hasEnded else { return }
        phase.withLock { phase in
            Glibc.kill(-pid, SIGKILL)
            phase = .gone
        }
    }

    private func ended(_ end: End) -> End {
        phase.withLock { phase in
            if case .running(let pid) = phase { Glibc.kill(-pid, SIGKILL) }
            phase = .gone
        }
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
