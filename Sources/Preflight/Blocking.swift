internal import Glibc

/// Does something that blocks, on a thread of its own: a pool would have to grow while everything waits for the network.
func onThread<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        let start = ThreadStart { continuation.resume(returning: work()) }
        var thread = pthread_t()
        let pointer = Unmanaged.passRetained(start)
        let code = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, pointer.toOpaque())
        guard code == 0 else {
            // No more threads: then one after the other.
            pointer.release()
            return continuation.resume(returning: work())
        }
        pthread_detach(thread)
    }
}

private final class ThreadStart: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// All at once; the results in the order of the elements.
func together<Element: Sendable, Value: Sendable>(
    _ elements: [Element], _ work: @escaping @Sendable (Element) async -> Value
) async -> [Value] {
    await withTaskGroup(of: (Int, Value).self) { group in
        for (index, element) in elements.enumerated() { group.addTask { (index, await work(element)) } }
        var values: [(Int, Value)] = []
        for await value in group { values.append(value) }
        return values.sorted { $0.0 < $1.0 }.map(\.1)
    }
}
