import Synchronization

/// Tells everybody who listens about each change of a service's state.
final class StateChanges: Sendable {
    private struct Listeners {
        var next = 0
        var continuations: [Int: AsyncStream<ServiceState>.Continuation] = [:]
    }
    private let listeners = Mutex(Listeners())

    func tell(_ state: ServiceState) {
        let continuations = listeners.withLock { Array($0.continuations.values) }
        for continuation in continuations { continuation.yield(state) }
    }

    /// A stream that ends with its reader. A reader that sleeps long misses the oldest changes, never the newest.
    func listen() -> AsyncStream<ServiceState> {
        let (stream, continuation) = AsyncStream.makeStream(of: ServiceState.self, bufferingPolicy: .bufferingNewest(64))
        let number = listeners.withLock { listeners in
            listeners.next += 1
            listeners.continuations[listeners.next] = continuation
            return listeners.next
        }
        continuation.onTermination = { [weak self] _ in
            self?.listeners.withLock { _ = $0.continuations.removeValue(forKey: number) }
        }
        return stream
    }

    deinit {
        for continuation in listeners.withLock({ Array($0.continuations.values) }) { continuation.finish() }
    }
}
