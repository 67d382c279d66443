import CertificateStore
import Glibc

/// What `snikket up` says to whoever started it.
///
/// The lines that scripts wait for go to standard output: `ready https://...` and `invitation https://...`. Everything else is for
/// people and goes to standard error, where systemd's journal reads it too. Nobody who says something waits for whoever reads it.
public struct Announcer: Sendable {
    public init() {}

    /// A line that scripts rely on.
    func result(_ line: String) { Printer.shared.print(line, to: .output) }

    /// What is going on.
    func progress(_ line: String) { Printer.shared.print("snikket: \(line)", to: .errors) }

    /// A problem that does not end the program, in the three parts of every error.
    func problem(_ problem: StatusReport.ProblemReport) {
        progress("error: \(problem.error)")
        if let cause = problem.cause { progress("cause: \(cause)") }
        if let tryThis = problem.tryThis { progress("try:   \(tryThis)") }
    }

    /// How the certificate program gets on.
    func certificate(_ event: CertificateEvent) {
        switch event {
        case .progress(let step, let name): progress("certificate: \(step)\(name.map { " \($0)" } ?? "")")
        case .issued(let record, _, _): progress("certificate: by \(record.issuer), until \(RFC3339.text(record.notAfter))")
        case .failed, .probed, .inspected: break
        }
    }

    /// Under systemd, what the servers print goes to the journal as well; on a terminal it would be in the way of everything else.
    static func serverLines(of service: String) -> (@Sendable (String) -> Void)? {
        guard getenv("JOURNAL_STREAM") != nil else { return nil }
        return { line in Printer.shared.print("\(service): \(line)", to: .errors, isServers: true) }
    }

    /// In a container there is one server, and the engine keeps what is printed.
    func serverLine(_ line: String) { Printer.shared.print(line, to: .errors, isServers: true) }
}
