import ACME
import ArgumentParser
import CertificateStore
import DNS
import Glibc
import ProcessMemory
import SystemPackage

/// A verb: prints events, and fails with a ``CertificateFailure``.
protocol Job: AsyncParsableCommand {
    func execute() async throws(CertificateFailure)
}

extension Job {
    func run() async throws {
        // It runs beside the servers, on machines with little memory: what one phase needed need not stay for the next.
        releaseStartupPages()
        do {
            try await execute()
        } catch {
            throw report(error)
        }
        // All is written and told. Thirty libraries that libcurl brings along would only tidy what ends with the process.
        _exit(0)
    }
}

/// Prints an event. Without buffering: the reader follows along.
func emit(_ event: CertificateEvent) {
    _ = try? FileDescriptor.standardOutput.writeAll(Array((event.line + "\n").utf8))
}

/// Prints an event. Without buffering: the reader follows along.
func emit(_ event: AuthorityEvent) {
    _ = try? FileDescriptor.standardOutput.writeAll(Array((event.line + "\n").utf8))
}

/// Prints a failure for people and for programs, and returns the exit code.
private func report(_ failure: CertificateFailure) -> ExitCode {
    let failure = failure.forPeople
    emit(.failed(failure))
    var text = "snikket-certs: error: \(failure.error)\n"
    if let cause = failure.cause { text += "snikket-certs: cause: \(cause)\n" }
    if let advice = failure.try { text += "snikket-certs: try:   \(advice)\n" }
    _ = try? FileDescriptor.standardError.writeAll(Array(text.utf8))
    return ExitCode(failure.kind.exitCode)
}

extension CertificateFailure {
    /// Whatever part of it a stranger wrote: fit for terminals and pages, each part no longer than a person would read.
    fileprivate var forPeople: CertificateFailure {
        CertificateFailure(
            kind: kind, error: printable(error), cause: cause.map(printable), try: `try`.map(printable), retryAfter: retryAfter)
    }
}

extension CertificateFailure.Kind {
    /// sysexits.h: 75 try again later, 78 the configuration is wrong, 1 somebody has to act.
    var exitCode: Int32 {
        switch self {
        case .unreachable, .caDown, .rateLimited, .busy: 75
        case .configuration, .externalAccount: 78
        case .validation, .refused, .webroot, .listen, .badCertificate, .local: 1
        }
    }
}

/// Seconds since 1970.
func now() -> Int { time(nil) }

/// The system's words for an errno, in lower case.
func words(_ errno: Int32) -> String { Errno(rawValue: errno).description.lowercased() }
