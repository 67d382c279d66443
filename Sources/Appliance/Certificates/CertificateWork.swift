import CertificateStore
import Synchronization

/// What is being done about the certificate, or was done last: so that whoever asked for it can follow it.
final class CertificateWork: Sendable {
    private let current = Mutex(Attempt(number: 0, step: "", isDone: true))

    private struct Attempt {
        /// Counts up from 1 in a run of `snikket up`.
        var number: Int
        /// A step of RFC 8555, in a word.
        var step: String
        var isDone = false
        /// Why it failed; nil when it did not.
        var failure: CertificateFailure?
    }

    /// The next attempt, from its begin to its end.
    func during(_ body: () async throws(CertificateFailure) -> Void) async throws(CertificateFailure) {
        current.withLock { $0 = Attempt(number: $0.number + 1, step: "beginning") }
        do throws(CertificateFailure) {
            try await body()
            end(nil)
        } catch {
            end(error)
            throw error
        }
    }

    /// What the attempt under way has come to.
    func note(_ event: CertificateEvent) {
        guard case .progress(let step, let name) = event else { return }
        current.withLock { $0.step = name.map { "\(step) \($0)" } ?? step }
    }

    /// What an attempt could not do has been done since.
    func isMended(_ number: Int) { current.withLock { if $0.isDone, $0.number == number { $0.failure = nil } } }

    private func end(_ failure: CertificateFailure?) {
        current.withLock { ($0.isDone, $0.failure) = (true, failure) }
    }

    /// The number of the attempt under way, or that the next one will have; and whether one is under way.
    var expected: (number: Int, isUnderWay: Bool) { current.withLock { ($0.isDone ? $0.number + 1 : $0.number, !$0.isDone) } }

    /// nil before the first.
    var report: StatusReport.WorkReport? {
        current.withLock { attempt in
            guard attempt.number > 0 else { return nil }
            return .init(
                number: attempt.number, step: attempt.step, done: attempt.isDone, error: attempt.failure.map(StatusReport.ProblemReport.init))
        }
    }
}
