import Appliance
import ArgumentParser
import Supervision
import SystemPackage

/// What a person is told when a command fails: what happened, why, and what to do. The only place that prints an error.
///
/// Rooms throw small typed errors with data in them; the files `Failure+ROOM.swift` turn them into words.
struct Failure: Error {
    /// What could not be done. Lower case, no full stop.
    var error: String
    /// Why; nil when the error says it all. Several reasons stand on a line each.
    var cause: String?
    /// What to do next.
    var tryThis: String?
    /// The exit code.
    var code: Code = .failed

    /// Exit codes (sysexits.h).
    enum Code: Int32 {
        case failed = 1
        case usage = 64
        case tryAgainLater = 75
        case configuration = 78
    }
}

extension Failure {
    /// `snikket: error: ...`, `snikket: cause: ...` for each reason, `snikket: try:   ...`.
    var lines: [String] {
        var lines = ["snikket: error: \(error)"]
        if let cause { lines += cause.split(separator: "\n").map { "snikket: cause: \($0)" } }
        if let tryThis { lines.append("snikket: try:   \(tryThis)") }
        // Names of files and the words of others may be in them.
        return lines.map { $0.split(separator: "\n", omittingEmptySubsequences: false).map { unobeyed(String($0)) }.joined(separator: "\n") }
    }

    /// Writes the error to standard error and ends the command with its code.
    func report() -> ExitCode {
        guard !Printer.shared.isInUse else {
            Printer.shared.printLast(lines)
            return ExitCode(code.rawValue)
        }
        let text = lines.map { $0 + "\n" }.joined()
        _ = try? FileDescriptor.standardError.writeAll(Array(text.utf8))
        return ExitCode(code.rawValue)
    }
}
