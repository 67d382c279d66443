import Synchronization
public import SystemPackage

/// A program that is run once, with the rights alone that its specification gives it.
public enum Errand {
    /// How it ended.
    public enum End: Sendable, Equatable {
        case exited(status: Int32)
        case killed(signal: Int32)
        /// It was killed because it took too long.
        case tooLate
    }

    /// Runs a program to its end; when that takes too long, or the task is cancelled, it is killed with its whole process group.
    ///
    /// - Parameters:
    ///   - specification: the program, its account, capabilities, limits and environment.
    ///   - input: what it reads; nil: nothing. Stays open here.
    ///   - keepsErrors: whether its standard error is listened to as well.
    ///   - isEnough: asked after each line: when it says so, the program is killed.
    ///   - line: gets each line, cut at 8 KiB.
    /// - Throws: why the program could not be begun.
    @concurrent
    public static func run(
        _ specification: ServiceSpecification, input: FileDescriptor? = nil, keepsErrors: Bool = false, deadline: Duration,
        until isEnough: @escaping @Sendable (String) -> Bool = { _ in false }, line: @escaping @Sendable (String) -> Void
    ) async throws(Errno) -> End {
        let lines = Mutex(LineSplitter())
        let heard = Mutex<(child: Child?, isEnough: Bool)>((nil, false))
        let child = try await Child.start(specification, input: input?.rawValue, keepsErrors: keepsErrors) { bytes in
            lines.withLock {
                $0.feed(bytes) { _, text in
                    let text = text()
                    line(text)
                    guard isEnough(text) else { return }
                    heard.withLock {
                        $0.isEnough = true
                        $0.child?.killGroup()
                    }
                }
            }
        }
        heard.withLock {
            $0.child = child
            // It may have been said before we knew who said it.
            if $0.isEnough { child.killGroup() }
        }
        let isLate = Mutex(false)
        let clock = Task {
            guard (try? await Task.sleep(for: deadline)) != nil else { return }
            isLate.withLock { $0 = true }
            child.killGroup()
        }
        await withTaskCancellationHandler {
            await child.ended()
        } onCancel: {
            child.killGroup()
        }
        clock.cancel()
        // Before its number may mean somebody else.
        await clock.value
        child.killGroup()
        heard.withLock { $0.child = nil }
        let end = await child.end()
        if let last = lines.withLock({ $0.finish() }) { line(last) }
        if isLate.withLock({ $0 }) { return .tooLate }
        return switch end {
        case .exited(let status): .exited(status: status)
        case .killed(let signal): .killed(signal: signal)
        }
    }
}
