import Synchronization

/// What is wrong with the machine or the appliance as a whole, as long as it is: seen in the status and the metrics. Whoever notices something opens its
/// matter, and closes it when it is over.
final class OpenMatters: Sendable {
    private let matters = Mutex<[String: StatusReport.ProblemReport]>([:])

    /// - Parameter matter: a name that stays the same: `disk`, `clock`.
    func open(_ matter: String, _ problem: StatusReport.ProblemReport) { matters.withLock { $0[matter] = problem } }

    /// It is over, if it ever was.
    func close(_ matter: String) { matters.withLock { _ = $0.removeValue(forKey: matter) } }

    /// In the order of their names.
    var all: [StatusReport.MatterReport] {
        matters.withLock { $0 }.sorted { $0.key < $1.key }.map { StatusReport.MatterReport(matter: $0.key, problem: $0.value) }
    }
}
