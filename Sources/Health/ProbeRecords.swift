import Glibc
import Synchronization

/// What came of a probe, the last time and altogether.
public struct ProbeRecord: Sendable, Equatable {
    /// Whose probe it is: `prosody`, `nginx`, `coturn`, `portal` or `certificate`.
    public var service: String
    /// What is asked: `c2s`, `https`, `turn_allocation`...
    public var probe: String
    /// When the last answer came, or did not come in time: seconds since 1970.
    public var checkedAt: Int
    /// How long the last answer took.
    public var latency: Duration
    /// Why the last answer was bad, in words; nil when it was good.
    public var failure: String?
    /// How often it has been asked since `snikket up` was started.
    public var checks: Int
    /// How many of these answers were bad.
    public var failures: Int
}

/// Remembers what came of every probe: one record for each.
public final class ProbeRecords: Sendable {
    private struct Key: Hashable, Comparable {
        var service: String
        var probe: String

        static func < (left: Key, right: Key) -> Bool { (left.service, left.probe) < (right.service, right.probe) }
    }

    private let known = Mutex<[Key: ProbeRecord]>([:])

    public init() {}

    /// Every record, in the order of services and probes.
    public var records: [ProbeRecord] {
        known.withLock { known in known.sorted { $0.key < $1.key }.map(\.value) }
    }

    /// Asks, takes the time, and remembers what came of it. An answer that nobody waits for any more, since the task was cancelled, is none.
    public func timed(_ service: String, _ probe: String, _ ask: () async throws -> Void) async throws {
        let start = ContinuousClock.now
        do {
            try await ask()
            note(service, probe, latency: start.duration(to: .now), failure: nil)
        } catch {
            if !Task.isCancelled { note(service, probe, latency: start.duration(to: .now), failure: "\(error)") }
            throw error
        }
    }

    /// Remembers an answer.
    ///
    /// - Parameter failure: why it was bad; nil when it was good.
    public func note(_ service: String, _ probe: String, latency: Duration, failure: String?) {
        known.withLock { known in
            let before = known[Key(service: service, probe: probe)]
            known[Key(service: service, probe: probe)] = ProbeRecord(
                service: service, probe: probe, checkedAt: time(nil), latency: latency, failure: failure, checks: (before?.checks ?? 0) + 1,
                failures: (before?.failures ?? 0) + (failure == nil ? 0 : 1))
        }
    }
}
