import Glibc

/// What `snikket up` says to whoever started it.
///
/// The lines that scripts wait for go to standard output: `ready https://...` and `invitation https://...`. Everything else is for
/// people and goes to standard error, where systemd's journal reads it too.
public struct Announcer: Sendable {
    public init() {}

    /// A line that scripts rely on.
    func result(_ line: String) { write(line, to: STDOUT_FILENO) }

    /// What is going on.
    func progress(_ line: String) { write("snikket: \(line)", to: STDERR_FILENO) }

    /// A problem that does not end the program, in the three parts of every error.
    func problem(_ problem: StatusReport.ProblemReport) {
        progress("error: \(problem.error)")
        if let cause = problem.cause { progress("cause: \(cause)") }
        if let tryThis = problem.tryThis { progress("try:   \(tryThis)") }
    }

    // One write for a line, so that lines of several tasks do not mix.
    private func write(_ line: String, to descriptor: CInt) {
        var bytes = Array((line + "\n").utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0 {
                if errno == EINTR { continue }
                return
            }
            bytes = bytes.dropFirst(written)
        }
    }
}
