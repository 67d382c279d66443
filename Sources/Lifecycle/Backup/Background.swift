import Dispatch
import Synchronization

/// Work on a thread of its own, for a blocking end of a pipe while another is worked on here.
final class Background: Sendable {
    private let done = DispatchSemaphore(value: 0)
    private let result = Mutex<Result<Void, BackupError>>(.success(()))

    init(_ name: String, _ work: @escaping @Sendable () throws(BackupError) -> Void) {
        DispatchQueue(label: name).async {
            do throws(BackupError) { try work() } catch { self.result.withLock { $0 = .failure(error) } }
            self.done.signal()
        }
    }

    /// Waits for its end.
    func finish() throws(BackupError) {
        done.wait()
        done.signal()
        try result.withLock { $0 }.get()
    }
}
