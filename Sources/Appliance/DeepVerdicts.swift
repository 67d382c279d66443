import Settings
import Supervision
import Synchronization

/// What the deep look thinks of each server: what its liveness check says besides its own probes.
///
/// One bad answer causes nothing. Three in a row have the server started again. When that does not help it is done again only after growing pauses, and in
/// between the server goes on, shown as unhealthy: whoever cannot upload files can still write.
final class DeepVerdicts: Sendable {
    /// So many bad looks in a row are no chance.
    static let threshold = 3
    /// How long after the restart before it a server may be started again, by how often that did not help for long.
    private static let pauses: [Duration] = [.zero, .seconds(60), .seconds(300), .seconds(1_800), .seconds(6 * 3_600)]
    /// A server that was well for so long has its restarts forgotten.
    private static let stableAfter = Duration.seconds(600)

    private struct Verdict {
        /// Counts up with each process: what was seen of another one does not count.
        var generation = 0
        /// Bad looks in a row.
        var bad = 0
        var fault: String?
        /// Whether it was started again for this and has not been looked at since.
        var isOnTrial = false
        /// How often it was started again without having been stable since.
        var restarts = 0
        var restartedAt: Duration?
        /// Since when every look was good; nil when the last one was not.
        var goodSince: Duration?
    }

    private let verdicts = Mutex<[Service: Verdict]>([:])
    private let now: @Sendable () -> Duration

    /// - Parameter now: time since some fixed moment.
    init(now: @escaping @Sendable () -> Duration = DeepVerdicts.uptime) {
        self.now = now
    }

    private static let start = ContinuousClock.now
    private static let uptime: @Sendable () -> Duration = { start.duration(to: .now) }

    /// The server serves anew.
    func begin(_ service: Service) {
        let now = now()
        verdicts.withLock { verdicts in
            var verdict = verdicts[service] ?? Verdict()
            verdict.generation += 1
            if verdict.bad >= Self.threshold {
                verdict.restarts += 1
                verdict.restartedAt = now
                verdict.isOnTrial = true
            }
            (verdict.bad, verdict.fault, verdict.goodSince) = (0, nil, nil)
            verdicts[service] = verdict
        }
    }

    /// Which process each server has now.
    var generations: [Service: Int] { verdicts.withLock { $0.mapValues(\.generation) } }

    /// What a look has shown of the process that was there when it began.
    ///
    /// - Parameter fault: in words; nil when everything was as it should be.
    func note(_ service: Service, generation: Int, fault: String?) {
        let now = now()
        verdicts.withLock { verdicts in
            guard var verdict = verdicts[service], verdict.generation == generation else { return }
            verdict.isOnTrial = false
            verdict.fault = fault
            verdict.bad = fault == nil ? 0 : verdict.bad + 1
            verdict.goodSince = fault == nil ? verdict.goodSince ?? now : nil
            if let goodSince = verdict.goodSince, now - goodSince >= Self.stableAfter {
                (verdict.restarts, verdict.restartedAt) = (0, nil)
            }
            verdicts[service] = verdict
        }
    }

    /// Whether to look again soon: something was bad, and it is not yet known how it goes on.
    var isSuspicious: Bool {
        let now = now()
        return verdicts.withLock { $0.values.contains { $0.isOnTrial || ($0.bad > 0 && ($0.bad < Self.threshold || Self.isDue($0, now))) } }
    }

    /// Whether restarts have not helped a server for so long that somebody should know.
    func isLasting(_ service: Service) -> Bool {
        verdicts.withLock { $0[service] }.map { $0.bad >= Self.threshold && $0.restarts >= 3 } ?? false
    }

    /// Whether a server was started again for what was seen, and has not been well for so long since that it is forgotten.
    func isOnProbation(_ service: Service) -> Bool { verdicts.withLock { $0[service] }.map { $0.restarts > 0 } ?? false }

    /// To be asked in a server's liveness check.
    ///
    /// - Throws: ``DeepFault`` when it has to be started again, ``ServiceImpaired`` when that did not help.
    func check(_ service: Service) throws {
        let now = now()
        guard let verdict = verdicts.withLock({ $0[service] }), verdict.bad >= Self.threshold, let fault = verdict.fault else { return }
        if Self.isDue(verdict, now) { throw DeepFault(description: fault) }
        throw ServiceImpaired(fault)
    }

    private static func isDue(_ verdict: Verdict, _ now: Duration) -> Bool {
        guard let restartedAt = verdict.restartedAt else { return true }
        return now - restartedAt >= pauses[min(verdict.restarts, pauses.count - 1)]
    }
}

/// What a server does not serve, in words.
struct DeepFault: Error, CustomStringConvertible {
    var description: String
}
