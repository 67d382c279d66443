import Glibc
import SystemPackage

/// Where a command prints for people.
struct Terminal: Sendable {
    private let descriptor: FileDescriptor
    /// Whether a person is looking: progress and colour are for terminals only.
    let isInteractive: Bool
    /// Colour only on a terminal, and never with NO_COLOR set (no-color.org).
    let hasColour: Bool

    static let standardOutput = Terminal(.standardOutput)
    static let standardError = Terminal(.standardError)

    private init(_ descriptor: FileDescriptor) {
        self.descriptor = descriptor
        isInteractive = isatty(descriptor.rawValue) == 1
        let term = getenv("TERM").map { String(cString: $0) } ?? ""
        let refused = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
        hasColour = isInteractive && !refused && term != "dumb" && !term.isEmpty
    }

    /// Writes a line, at once. A closed pipe is the reader's own decision, and no error.
    func print(_ line: String) { _ = printed(line) }

    /// Writes a line in place of the one that it wrote so before.
    func rewrite(_ line: String) {
        if isInteractive { _ = try? descriptor.writeAll(Array("\r\(line)\u{1B}[K".utf8)) }
    }

    /// Writes a line, at once; false when nobody reads it any more.
    func printed(_ line: String) -> Bool { (try? descriptor.writeAll(Array((line + "\n").utf8))) != nil }

    /// How many characters fit on a line; nil when there is no terminal.
    var width: Int? {
        var size = winsize()
        guard isInteractive, ioctl(descriptor.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }
}

/// The few colours that we use (ECMA-48 SGR).
enum Colour: Int {
    case red = 31, green = 32, yellow = 33, dim = 2, bold = 1

    func paint(_ text: String, if wanted: Bool) -> String {
        wanted ? "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" : text
    }
}
