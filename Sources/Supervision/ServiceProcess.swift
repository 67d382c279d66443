import DurableFiles
import Glibc
import Synchronization
import SystemPackage

/// One process of a server, from its start to the end of its whole group.
///
/// Its session, and so its process group, is its own: a Ctrl-C on the terminal is not for it, and what it leaves behind can be found.
final class ServiceProcess: Sendable {
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

    /// Starts the process and returns when it and its group are gone, with how it ended or why it could not be started. To be called once, in a task
    /// that nobody cancels.
    @concurrent
    func run(_ specification: ServiceSpecification) async -> Result<Child.End, Errno> {
        defer {
            phase.withLock { $0 = .gone }
            started.continuation.finish()
        }
        removeStaleFiles(of: specification)
        Orphans.adopt()
        let mark = Orphans.Mark(specification)
        let lines = Mutex(LineSplitter())
        do {
            let child = try await Child.start(specification, mark: "\(Orphans.Mark.variable)=\(mark.value)") { [sink] bytes in
                lines.withLock { sink.take(bytes, into: &$0) }
            }
            begin(pid: child.pid)
            // Its end is the end of the output too, whoever else still holds the pipe.
            await child.ended()
            await endFamily(of: child.pid, mark)
            let end = await child.end()
            if let last = lines.withLock({ $0.finish() }) { sink.write([last]) }
            return .success(end)
        } catch {
            return .failure(error)
        }
    }

    /// As the server's user: they lie in its own folder, where links may lie as well. One that cannot be removed is the server's to complain of.
    private func removeStaleFiles(of specification: ServiceSpecification) {
        for path in specification.staleFiles {
            _ = try? File.acting(as: geteuid() == 0 ? specification.account : nil, on: path) { () throws(FileError) in unlink(path) }
        }
    }

    private func begin(pid: Int32) {
        phase.withLock { phase in
            if case .beforeStart(let signal?) = phase { Glibc.kill(pid, signal.rawValue) }
            phase = .running(pid: pid)
        }
        started.continuation.yield(pid)
    }

    /// Kills what the ended process left, and returns when it is gone: its group, then whoever has left that.
    private func endFamily(of pid: Int32, _ mark: Orphans.Mark) async {
        phase.withLock { phase in
            Glibc.kill(-pid, SIGKILL)
            phase = .gone
        }
        await Orphans.end(ofSession: pid, mark)
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
