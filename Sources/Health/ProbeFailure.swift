/// Why a server does not count as serving.
public enum ProbeFailure: Error, Sendable, Equatable {
    /// Nothing listens there.
    case refused
    /// No answer, or not all of it, before the deadline. A halted server still accepts connections: the kernel does that.
    case timedOut
    /// It closed the connection before it had answered.
    case closed
    /// It answered something else: what.
    case unexpected(String)
    /// The system could not even ask, with this errno.
    case system(errno: Int32)
    /// The task was cancelled.
    case cancelled
}

extension ProbeFailure: CustomStringConvertible {
    /// In words, for status reports.
    public var description: String {
        switch self {
        case .refused: "nothing listens there"
        case .timedOut: "no answer in time"
        case .closed: "it closed the connection"
        case .unexpected(let what): "it answered \(what)"
        case .system(let errno): "the system refused to ask (errno \(errno))"
        case .cancelled: "cancelled"
        }
    }
}

/// A question to a server that only one that serves can answer.
public protocol Probe: Sendable {
    /// Asks once, within the probe's own deadline.
    ///
    /// - Throws: ``ProbeFailure`` when the answer is bad or missing.
    func check() async throws(ProbeFailure)
}
