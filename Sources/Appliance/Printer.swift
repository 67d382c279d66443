import Dispatch
import Glibc
import Logging
import Synchronization

/// Prints what a program says that goes on for years, on standard output and error, line by line in the order in which it is said.
///
/// Whoever says something never waits: a journal that is stuck, a terminal that is halted or a pipe that nobody reads holds up only the printer's own
/// queue. What does not fit meanwhile is left out, and counted where it is missing.
public final class Printer: Sendable {
    /// Where a program prints.
    enum Stream: CInt {
        case output = 1
        case errors = 2
    }

    private struct Piece {
        var stream: Stream
        var bytes: [UInt8]
    }

    private struct State {
        var waiting: [Piece] = []
        var size = 0
        var leftOut = 0
        var isWriting = false
        var isInUse = false

        mutating func add(_ line: String, _ stream: Stream) {
            if waiting.last?.stream != stream { waiting.append(Piece(stream: stream, bytes: [])) }
            waiting[waiting.count - 1].bytes += (line + "\n").utf8
            size += line.utf8.count + 1
        }

        mutating func tellOfLeftOut() {
            guard leftOut > 0 else { return }
            add("snikket: (\(leftOut) lines were left out here: nobody has read them)", .errors)
            leftOut = 0
        }
    }

    /// The program's own.
    public static let shared = Printer()

    /// The most bytes that wait; as many again are being written. What servers say cannot push out what we say ourselves.
    private let bounds: (ours: Int, servers: Int)
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "printer")
    /// The descriptors, in place of 1 and 2.
    private let descriptors: (output: CInt, errors: CInt)

    init(bounds: (ours: Int, servers: Int) = (576 << 10, 512 << 10), descriptors: (output: CInt, errors: CInt) = (STDOUT_FILENO, STDERR_FILENO)) {
        self.bounds = bounds
        self.descriptors = descriptors
    }

    /// Has what swift-log is told printed in turn, too. For the start of a program: it can be done once.
    func takeLogs() {
        LoggingSystem.bootstrap { StreamLogHandler(label: $0, stream: LogStream(printer: self)) }
    }

    /// Whether anything was printed here: then everything else has to be, or it would overtake that.
    public var isInUse: Bool { state.withLock { $0.isInUse } }

    /// Prints a line. Returns at once.
    ///
    /// - Parameter isServers: whether a server said it, and not we.
    func print(_ line: String, to stream: Stream, isServers: Bool = false) {
        let isNew = state.withLock { state in
            state.isInUse = true
            guard state.size < (isServers ? bounds.servers : bounds.ours) else {
                state.leftOut += 1
                return false
            }
            state.tellOfLeftOut()
            state.add(line, stream)
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if isNew { queue.async { self.writeWaiting() } }
    }

    /// Prints a program's last words on standard error; returns when everything is out.
    public func printLast(_ lines: [String]) {
        for line in lines { print(line, to: .errors) }
        settle()
    }

    /// Waits until what came so far is written, but not for whoever does not read.
    func settle(within milliseconds: Int = 1_000) {
        let done = DispatchSemaphore(value: 0)
        queue.async { done.signal() }
        _ = done.wait(timeout: .now() + .milliseconds(milliseconds))
    }

    private func writeWaiting() {
        while let pieces = nextBatch() {
            for piece in pieces { write(piece) }
        }
    }

    private func nextBatch() -> [Piece]? {
        state.withLock { state in
            // There is room again.
            state.tellOfLeftOut()
            state.isWriting = !state.waiting.isEmpty
            guard state.isWriting else { return nil }
            defer { (state.waiting, state.size) = ([], 0) }
            return state.waiting
        }
    }

    private func write(_ piece: Piece) {
        let descriptor = piece.stream == .output ? descriptors.output : descriptors.errors
        var bytes = piece.bytes[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written >= 0 {
                bytes = bytes.dropFirst(written)
            } else if errno == EAGAIN {
                // Somebody else who has it open does not want to wait there.
                var polled = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&polled, 1, -1)
            } else if errno != EINTR {
                // Nobody can read it any more.
                return
            }
        }
    }
}

/// What swift-log writes a line to.
private struct LogStream: TextOutputStream {
    let printer: Printer

    func write(_ line: String) { printer.print(line.last == "\n" ? String(line.dropLast()) : line, to: .errors) }
}
