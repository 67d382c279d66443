import Dispatch
import Glibc
import Synchronization

/// Where the lines go that a server prints: a file of bounded size, and whoever else listens.
///
/// A server never waits for its log: lines are written by a queue of their own, and what comes faster than can be written, or faster than
/// anybody could want to keep, is left out and counted.
public final class LogSink: Sendable {
    private struct State {
        var budget = LogBudget()
        /// Lines with their moments that are still to be written, and how many bytes that is.
        var waiting: [WaitingLine] = []
        var size = 0
        var leftOut = 0
        var isWriting = false
        var lastLine: String?
    }

    /// The most bytes that wait for a slow disk.
    private static let longestQueue = 512 << 10

    private let state = Mutex(State())
    private let file: Mutex<LogFile>
    private let queue: DispatchQueue
    private let forward: (@Sendable (String) -> Void)?

    /// A sink. Nothing is opened before the first line.
    ///
    /// - Parameters:
    ///   - folder: where the file lies; it has to exist.
    ///   - service: whose lines they are.
    ///   - limit: the most bytes of one file; two are kept.
    ///   - forward: gets each line too, without its moment.
    public init(folder: String, service: String, limit: Int = 5 << 20, forward: (@Sendable (String) -> Void)? = nil) {
        file = Mutex(LogFile(path: "\(folder)/\(service).log", limit: limit))
        queue = DispatchQueue(label: "log of \(service)")
        self.forward = forward
    }

    /// The line with words in it that came last; nil before the first.
    public var lastLine: String? { state.withLock { $0.lastLine } }

    /// Writes lines, all with the present moment. Returns at once.
    public func write(_ lines: [String]) {
        let moment = Timestamp.now().description
        add { state in
            for line in lines { Self.keep(line, moment, &state) }
        }
    }

    /// Writes the lines that these bytes make whole, as many as the budget allows. Returns at once.
    func take(_ bytes: UnsafeRawBufferPointer, into splitter: inout LineSplitter) {
        let moment = Timestamp.now().description
        add { state in
            state.budget.refill()
            splitter.feed(bytes) { size, text in
                if state.budget.allows(size) {
                    Self.keep(text(), moment, &state)
                } else {
                    state.leftOut += 1
                }
            }
        }
    }

    /// Waits until what came so far is written, but not for a disk that hangs.
    public func settle(within deadline: Duration = .seconds(2)) async {
        add { Self.tellOfLeftOut(Timestamp.now().description, &$0) }
        let (written, done) = AsyncStream.makeStream(of: Never.self)
        queue.async { done.finish() }
        try? await withDeadline(deadline) {
            for await _ in written {}
        }
    }

    private func add(_ change: (inout State) -> Void) {
        let isNew = state.withLock { state in
            change(&state)
            let isNew = !state.isWriting && !state.waiting.isEmpty
            if isNew { state.isWriting = true }
            return isNew
        }
        if isNew { queue.async { self.writeWaiting() } }
    }

    private static func keep(_ text: String, _ moment: String, _ state: inout State) {
        // What only frames a message says nothing: Prosody puts stars around its own.
        if text.contains(where: \.isLetter) { state.lastLine = text }
        guard state.size < longestQueue else {
            state.leftOut += 1
            return
        }
        tellOfLeftOut(moment, &state)
        state.waiting.append(WaitingLine(moment: moment, text: text))
        state.size += text.utf8.count
    }

    private static func tellOfLeftOut(_ moment: String, _ state: inout State) {
        guard state.leftOut > 0 else { return }
        state.waiting.append(WaitingLine(moment: moment, text: "(\(state.leftOut) lines were left out here)", stands: state.leftOut))
        state.leftOut = 0
    }

    private func writeWaiting() {
        while let lines = nextBatch() {
            let lost = file.withLock { $0.write(lines) }
            if lost > 0 { state.withLock { $0.leftOut += lost } }
            if let forward {
                for line in lines { forward(line.text) }
            }
        }
    }

    private func nextBatch() -> [WaitingLine]? {
        state.withLock { state in
            state.isWriting = !state.waiting.isEmpty
            guard state.isWriting else { return nil }
            defer { (state.waiting, state.size) = ([], 0) }
            return state.waiting
        }
    }

    deinit {
        file.withLock { $0.close() }
    }
}

/// How much a server may print: what is beyond would only push out what was of use.
struct LogBudget {
    /// In bytes: at once, and in a second.
    private static let (most, rate) = (2 << 20, 256 << 10)
    private var left = Self.most
    private var time = ContinuousClock.now

    mutating func refill() {
        let now = ContinuousClock.now
        left = min(Self.most, left + Int(min(time.duration(to: now) / .seconds(1), 60) * Double(Self.rate)))
        time = now
    }

    mutating func allows(_ size: Int) -> Bool {
        guard left > 0 else { return false }
        left -= size + 25
        return true
    }
}
