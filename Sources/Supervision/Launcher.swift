import CLinux
import Glibc
import Synchronization
import SystemPackage

/// The thread that starts all processes, takes what they print, and is told of their ends by the kernel (pidfd_open(2)).
///
/// It is one thread, and it lives as long as we do, because the parent-death signal follows the thread that started a process, not the process.
/// It sleeps until there is something to do.
final class Launcher: Sendable {
    typealias Job = @Sendable (inout Table) -> Void

    private static let current = Mutex<Launcher?>(nil)

    private let jobs = Mutex<[Job]>([])
    /// A byte for each job, to end the thread's sleep.
    private let bell: (reading: Int32, ringing: Int32)

    /// The thread, which is started by the first that asks.
    ///
    /// - Throws: when there are no descriptors or no thread for it; it can be asked again.
    static func running() throws(Errno) -> Launcher {
        try current.withLock { current throws(Errno) in
            if let current { return current }
            let launcher = try Launcher()
            try launcher.startThread()
            current = launcher
            return launcher
        }
    }

    private init() throws(Errno) {
        let ends = try Self.pipe()
        bell = (ends.reading, ends.writing)
        // Full, it is heard all the same.
        for end in [bell.reading, bell.ringing] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
    }

    /// Has the thread do something, in turn, and waits for it.
    func perform<Result: Sendable>(_ work: @escaping @Sendable (inout Table) -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            post { continuation.resume(returning: work(&$0)) }
        }
    }

    /// Has the thread do something, in turn.
    func post(_ job: @escaping Job) {
        jobs.withLock { $0.append(job) }
        _ = write(bell.ringing, [0], 1)
    }

    /// A pipe whose ends no program inherits.
    static func pipe() throws(Errno) -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [0, 0]
        guard Glibc.pipe(&ends) == 0 else { throw Errno(rawValue: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    private func startThread() throws(Errno) {
        var thread = pthread_t()
        // Kept for good.
        let ourselves = Unmanaged.passRetained(self)
        let failure = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Launcher>.fromOpaque(argument).takeUnretainedValue().work()
            }, ourselves.toOpaque())
        guard failure == 0 else {
            ourselves.release()
            close(bell.reading)
            close(bell.ringing)
            throw Errno(rawValue: failure)
        }
    }

    private func work() -> Never {
        // Whoever looks for what hangs finds it.
        snikket_name_thread("launcher")
        var everySignal = sigset_t()
        sigfillset(&everySignal)
        pthread_sigmask(SIG_SETMASK, &everySignal, nil)
        var table = Table()
        while true {
            table.wait(orUntil: bell.reading)
            let due = jobs.withLock { jobs in
                defer { jobs = [] }
                return jobs
            }
            for job in due { job(&table) }
        }
    }
}

extension Launcher {
    /// The processes that are not taken away yet. Only the thread has it.
    struct Table {
        private struct Entry {
            let descriptor: Int32
            /// -1 when nobody can print any more.
            var output: Int32
            let take: Child.Output
            var hasEnded = false
            var waiting: [CheckedContinuation<Void, Never>] = []
        }

        private var entries: [Int32: Entry] = [:]
        private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)

        mutating func add(_ pid: Int32, descriptor: Int32, output: Int32, _ take: @escaping Child.Output) {
            entries[pid] = Entry(descriptor: descriptor, output: output, take: take)
        }

        /// Sleeps until a process ends or prints, or the bell is rung.
        fileprivate mutating func wait(orUntil bell: Int32) {
            let watched = Array(entries)
            var descriptors = [pollfd(fd: bell, events: Int16(POLLIN), revents: 0)]
            for (_, entry) in watched {
                // One that is negative is not looked at.
                descriptors.append(pollfd(fd: entry.hasEnded ? -1 : entry.descriptor, events: Int16(POLLIN), revents: 0))
                descriptors.append(pollfd(fd: entry.output, events: Int16(POLLIN), revents: 0))
            }
            guard poll(&descriptors, nfds_t(descriptors.count), -1) > 0 else { return }
            if descriptors[0].revents != 0 { _ = read(bell, buffer.baseAddress, buffer.count) }
            for (index, (pid, _)) in watched.enumerated() {
                if descriptors[2 * index + 1].revents != 0 { end(pid) }
                if descriptors[2 * index + 2].revents != 0 { _ = readOutput(of: pid) }
            }
        }

        private mutating func end(_ pid: Int32) {
            for continuation in entries[pid]?.waiting ?? [] { continuation.resume() }
            entries[pid]?.waiting = []
            entries[pid]?.hasEnded = true
        }

        /// Calls back when the process has ended, at once when it has.
        mutating func tellOfEnd(of pid: Int32, _ continuation: CheckedContinuation<Void, Never>) {
            if entries[pid]?.hasEnded == false {
                entries[pid]?.waiting.append(continuation)
            } else {
                continuation.resume()
            }
        }

        /// Reads once what a process has printed. How many bytes that was.
        private mutating func readOutput(of pid: Int32) -> Int {
            guard let entry = entries[pid], entry.output >= 0 else { return 0 }
            let count = read(entry.output, buffer.baseAddress, buffer.count)
            if count > 0 {
                entry.take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
                close(entry.output)
                entries[pid]?.output = -1
            }
            return max(count, 0)
        }

        /// Reads the last that an ended process has printed, and takes it away (waitpid(2)).
        ///
        /// - Parameter limit: how many bytes: whoever is left of it may be printing without an end.
        mutating func remove(_ pid: Int32, reading limit: Int) -> Child.End {
            var left = limit
            while left > 0 {
                let count = readOutput(of: pid)
                if count == 0 { break }
                left -= count
            }
            if let entry = entries.removeValue(forKey: pid) {
                close(entry.descriptor)
                if entry.output >= 0 { close(entry.output) }
            }
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            // wait(2): the low seven bits are the signal, the next byte is the exit status.
            let signal = status & 0x7f
            return signal == 0 ? .exited(status: status >> 8 & 0xff) : .killed(signal: signal)
        }
    }
}
