import CLinux
import Dispatch
import DurableFiles
import Glibc
import Synchronization

/// The processes below us that have lost their parent: they come to us instead of to process 1 (PR_SET_CHILD_SUBREAPER, prctl(2)).
///
/// A server may fork a child that leaves its session, and so its group (setsid(2)): when the server ends, what it left is found here.
/// The kernel keeps children by thread: orphans hang on our first thread, what we start ourselves on the thread that started it, which is
/// the launcher's. So whatever hangs on the first thread is nobody else's to wait for.
enum Orphans {
    /// Who started a process: what is left of a server is told by it.
    struct Mark {
        /// In the environment under this name, which children inherit.
        static let variable = "SNIKKET_SERVICE"
        private static let count = Mutex(0)

        /// The variable's value, another one for each start.
        let value: String
        /// The account that nobody else runs as; nil when it runs as we do.
        let account: Account?

        init(_ specification: ServiceSpecification) {
            let number = Self.count.withLock { count in
                count += 1
                return count
            }
            value = "\(specification.name).\(number)"
            account = geteuid() == 0 ? specification.account : nil
        }
    }

    /// How long killed processes may take to be gone: one in the middle of a system call that cannot be interrupted may take long.
    private static let deadline = Duration.seconds(5)
    /// Nobody is waited for, and so no number given to another process, between a look and a kill.
    private static let turn = Mutex(())
    private static let children = "/proc/self/task/\(getpid())/children"

    /// Makes us their parent, where the kernel can. From then on those that end are taken away at once.
    static func adopt() { _ = ends }

    /// Only kept alive here; nobody touches it again.
    private nonisolated(unsafe) static let ends: (any DispatchSourceSignal)? = {
        // Without the kernel's list (CONFIG_PROC_CHILDREN, which Debian's have) they could not be told from what others here wait for.
        guard access(children, R_OK) == 0, snikket_become_subreaper() == 0 else { return nil }
        let source = DispatchSource.makeSignalSource(signal: SIGCHLD, queue: DispatchQueue(label: "orphans"))
        source.setEventHandler { turn.withLock { _ in _ = living() } }
        source.activate()
        return source
    }()

    /// Kills what a server left, and returns when it is gone. Nobody cancels that.
    ///
    /// - Parameters:
    ///   - session: the server's main process, which has ended.
    ///   - mark: what it was started with.
    static func end(ofSession session: Int32, _ mark: Mark) async {
        await end(runningAs: mark.account) { pid in
            // A child that hid itself is known by its own children.
            ([pid] + descendants(of: pid, mark.account)).contains { belongs($0, toSession: session, mark) }
        }
    }

    /// Kills all of them, and returns when they are gone. Nobody cancels that.
    static func endAll() async {
        await end(runningAs: nil) { _ in true }
    }

    private static func end(runningAs account: Account?, _ isWanted: (Int32) -> Bool) async {
        let start = ContinuousClock.now
        var pause = Duration.microseconds(250)
        var family: Set<Int32> = []
        while true {
            let left = turn.withLock { _ in
                let mine = living().filter { family.contains($0) || isWanted($0) }
                for pid in mine {
                    // Its children come to us next.
                    family.formUnion(descendants(of: pid, account))
                    kill(pid, SIGKILL)
                }
                return mine.count
            }
            if left == 0 || start.duration(to: .now) > deadline { return }
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(20))
        }
    }

    /// All of them, whoever started them; the ended ones are taken away.
    private static func living() -> [Int32] {
        let all = ProcessTable.read(children)?.split(separator: " ").compactMap { Int32($0) } ?? []
        return all.filter { waitpid($0, nil, WNOHANG) == 0 }
    }

    /// With the account's rights we see in /proc what it sees of its own processes, and need none over everybody's.
    private static func descendants(of pid: Int32, _ account: Account?) -> [Int32] {
        (try? File.acting(as: account, on: "/proc") { () throws(FileError) in ProcessTable.descendants(of: pid) }) ?? []
    }

    private static func belongs(_ pid: Int32, toSession session: Int32, _ mark: Mark) -> Bool {
        if getsid(pid) == session { return true }
        let isMarked = try? File.acting(as: mark.account, on: "/proc") { () throws(FileError) in
            if let user = mark.account?.user, ProcessTable.user(of: pid) == user { return true }
            return ProcessTable.environment(of: pid).contains("\(Mark.variable)=\(mark.value)")
        }
        return isMarked ?? false
    }
}
