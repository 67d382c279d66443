import DurableFiles
import Glibc
import Settings
import Subprocess
import SystemPackage

/// Runs a server's own checker, as the server's user, with a deadline.
struct Checker {
    let service: Service
    let seconds: Int
    /// Whether it may listen on ports below 1024: nginx's tries its ports.
    var bindsLowPort = false

    struct Result: Sendable {
        var output: String
        var succeeded: Bool
    }

    /// Runs it to its end; both of its outputs together.
    func run(_ program: String, _ arguments: [String], as owner: Account?) async throws(ServerConfigsError) -> Result {
        let (executable, arguments) = command(program, arguments, as: owner)
        return try await withDeadline { () async throws -> Result in
            let result = try await Subprocess.run(
                .path(FilePath(executable)), arguments: Arguments(arguments), output: .string(limit: 1_048_576), error: .combinedWithOutput)
            return Result(output: result.standardOutput, succeeded: result.terminationStatus.isSuccess)
        }
    }

    /// Runs it until it has printed a line that says enough, then ends it.
    func run(
        _ program: String, _ arguments: [String], as owner: Account?, until isLast: @escaping @Sendable (String) -> Bool
    ) async throws(ServerConfigsError) -> [String] {
        let (executable, arguments) = command(program, arguments, as: owner)
        return try await withDeadline { () async throws -> [String] in
            let result = try await Subprocess.run(
                .path(FilePath(executable)), arguments: Arguments(arguments), input: .none, output: .sequence, error: .combinedWithOutput
            ) { execution in
                var lines: [String] = []
                var isDone = false
                for try await line in execution.standardOutput.strings() {
                    if !isDone { lines.append(line.trimmingSuffix(while: \.isNewline).description) }
                    if !isDone, isLast(line) {
                        isDone = true
                        try execution.send(signal: .kill)
                    }
                }
                return lines
            }
            return result.closureResult
        }
    }

    /// A program as another user, without the rights of root except for ports below 1024.
    private func command(_ program: String, _ arguments: [String], as owner: Account?) -> (String, [String]) {
        guard let owner, getuid() == 0 else { return (program, arguments) }
        let capabilities = ["inh", "ambient"].map { "--\($0)-caps=-all\(bindsLowPort ? ",+net_bind_service" : "")" }
        return (
            "/usr/bin/setpriv",
            ["--reuid=\(owner.user)", "--regid=\(owner.group)", "--clear-groups", "--no-new-privs"] + capabilities + ["--", program] + arguments
        )
    }

    /// The first of the work and the deadline; the other one is cancelled, and with it the process.
    private func withDeadline<Success: Sendable>(
        _ work: @escaping @Sendable () async throws -> Success
    ) async throws(ServerConfigsError) -> Success {
        if let errno = Descriptors.shortageForProgram() { throw .file(FileError(.read, "/dev/null", errno: errno)) }
        do {
            return try await withThrowingTaskGroup(of: Success?.self) { group in
                group.addTask { try await work() }
                group.addTask {
                    try await Task.sleep(for: .seconds(seconds))
                    return nil
                }
                defer { group.cancelAll() }
                guard let first = try await group.next(), let result = first else {
                    throw ServerConfigsError.checkerTimedOut(service, seconds: seconds)
                }
                return result
            }
        } catch let error as ServerConfigsError {
            throw error
        } catch {
            throw .checkerFailed(service, program: service.rawValue, reason: "\(error)")
        }
    }
}

extension String {
    fileprivate func trimmingSuffix(while isCut: (Character) -> Bool) -> Substring {
        var rest = self[...]
        while let last = rest.last, isCut(last) { rest.removeLast() }
        return rest
    }
}
