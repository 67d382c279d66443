import Glibc
import Synchronization
import SystemPackage

/// The whole terminal, for what is drawn again and again. What was there before is back when it is left, however it ends but by SIGKILL.
struct Screen: ~Copyable {
    /// What ended a wait.
    enum Event { case time, resized, quit }

    private let isKeyboard: Bool
    private let before: termios
    private let awakening: (readEnd: FileDescriptor, writeEnd: FileDescriptor)

    /// What ends the program otherwise, or changes the size of the terminal.
    private static let signals = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH]

    /// Takes the terminal over: standard output has to be one. When standard input is one too, keys are read.
    init() throws {
        awakening = try FileDescriptor.pipe()
        for descriptor in [awakening.readEnd, awakening.writeEnd] { _ = fcntl(descriptor.rawValue, F_SETFL, O_NONBLOCK) }
        var settings = termios()
        isKeyboard = tcgetattr(STDIN_FILENO, &settings) == 0
        before = settings
        if isKeyboard {
            // Key by key, unseen; Ctrl-C and Ctrl-Z are keys like others, so that neither leaves the terminal as it is here.
            settings.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
            tcsetattr(STDIN_FILENO, TCSANOW, &settings)
        }
        doorbell.store(awakening.writeEnd.rawValue, ordering: .sequentiallyConsistent)
        for number in Self.signals { signal(number, ring) }
        // Another screen, no cursor, and lines that end at the edge.
        Self.write("\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l")
    }

    deinit {
        Self.write("\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l")
        for number in Self.signals { signal(number, SIG_DFL) }
        doorbell.store(-1, ordering: .sequentiallyConsistent)
        var settings = before
        if isKeyboard { tcsetattr(STDIN_FILENO, TCSANOW, &settings) }
        try? awakening.readEnd.close()
        try? awakening.writeEnd.close()
    }

    /// Draws over what is there, at once: nothing flickers, and nothing is left of what was longer.
    func draw(_ text: String) {
        var size = winsize()
        let rows = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_row > 0 ? Int(size.ws_row) : 24
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).prefix(rows)
        // Colours end with their line, also when that is cut.
        Self.write("\u{1B}[H" + lines.map { $0 + "\u{1B}[0m\u{1B}[K" }.joined(separator: "\r\n") + "\u{1B}[J")
    }

    /// Waits for a key, a signal, or the time to be over.
    func wait(milliseconds: Int32) -> Event {
        var polled = [
            pollfd(fd: awakening.readEnd.rawValue, events: Int16(POLLIN), revents: 0),
            pollfd(fd: isKeyboard ? STDIN_FILENO : -1, events: Int16(POLLIN), revents: 0),
        ]
        guard poll(&polled, nfds_t(polled.count), milliseconds) > 0 else { return .time }
        if polled[0].revents != 0 { return Self.bytes(from: awakening.readEnd.rawValue).allSatisfy { $0 == UInt8(SIGWINCH) } ? .resized : .quit }
        let keys = Self.bytes(from: STDIN_FILENO)
        // The terminal is gone, or somebody wants to go: q, Ctrl-C, Ctrl-D.
        return keys.isEmpty || keys.contains { [UInt8(ascii: "q"), UInt8(ascii: "Q"), 3, 4].contains($0) } ? .quit : .time
    }

    private static func bytes(from descriptor: Int32) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(descriptor, &bytes, bytes.count)
        return Array(bytes.prefix(max(0, count)))
    }

    private static func write(_ text: String) { _ = try? FileDescriptor.standardOutput.writeAll(Array(text.utf8)) }
}

/// Where a signal leaves its number; -1: nowhere. A signal's handler may do little more than write (signal-safety(7)).
private let doorbell = Atomic<Int32>(-1)

private func ring(_ number: Int32) {
    let problem = errno
    var byte = UInt8(truncatingIfNeeded: number)
    _ = write(doorbell.load(ordering: .sequentiallyConsistent), &byte, 1)
    errno = problem
}
