import Glibc
import Synchronization

/// What a program says, read all the while: however much it is, the program never waits for us, and the end of it is kept.
final class LastWords: Sendable {
    private static let limit = 1 << 16
    private let heard = Heard()
    private let reading: Background
    /// The end of a pipe: closed when the program has ended. Whatever it has begun may keep its errors open for ever.
    private let stop: Mutex<Descriptor?>

    private final class Heard: Sendable {
        let bytes = Mutex<[UInt8]>([])

        func take(_ more: some Collection<UInt8>) {
            bytes.withLock { bytes in
                bytes += more
                if bytes.count > 2 * LastWords.limit { bytes.removeFirst(bytes.count - LastWords.limit) }
            }
        }
    }

    /// - Parameter pipe: where its errors come.
    init(from pipe: Descriptor) throws(BackupError) {
        let (stopped, stop) = try Descriptor.pipe()
        self.stop = Mutex(stop)
        // That is our end alone: the program's waits as programs expect it.
        _ = fcntl(pipe.number, F_SETFL, O_NONBLOCK)
        reading = Background("words") { [heard] () throws(BackupError) in Self.read(pipe, until: stopped, heard) }
    }

    deinit { stop.withLock { $0 = nil } }

    /// All that is kept, once the program has ended.
    func end() -> String {
        stop.withLock { $0 = nil }
        try? reading.finish()
        return String(decoding: heard.bytes.withLock { $0.suffix(Self.limit) }, as: UTF8.self)
    }

    private static func read(_ pipe: Descriptor, until stopped: Descriptor, _ heard: Heard) {
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            var polled = [
                pollfd(fd: pipe.number, events: Int16(POLLIN), revents: 0), pollfd(fd: stopped.number, events: Int16(POLLIN), revents: 0),
            ]
            if poll(&polled, nfds_t(polled.count), -1) < 0 { continue }
            // First whether it has ended: what it said was there before that.
            let count = Glibc.read(pipe.number, &buffer, buffer.count)
            if count > 0 {
                heard.take(buffer.prefix(count))
            } else if count == 0 || (errno != EAGAIN && errno != EINTR) || polled[1].revents != 0 {
                return
            }
        }
    }
}
