import Glibc
import RealServers
import Subprocess
import Supervision
import SystemPackage
import Testing

/// A process of its own that supervises one program: for tests that kill it, or that measure it.
enum SupervisedParent {
    /// Beside the test bundle.
    private static func program() throws -> String {
        let path = try #require(realpath("/proc/self/exe", nil))
        defer { free(path) }
        return FilePath(String(cString: path)).removingLastComponent().appending("supervised-parent").string
    }

    /// Runs it; `body` gets its process as soon as there is one.
    static func with(
        _ signal: ServiceSignal, _ command: [String], in scratch: Scratch, _ body: @escaping @Sendable (_ parent: Int32) async throws -> Void
    ) async throws {
        _ = try await run(
            .path(FilePath(program())), arguments: Arguments([scratch.path, String(signal.rawValue)] + command), input: .none,
            output: .discarded, error: .discarded
        ) { execution in
            let parent = execution.processIdentifier.value
            defer { kill(parent, SIGKILL) }
            try await body(parent)
        }
    }

    /// Runs it; `body` gets its process and the process group that it supervises, once that runs.
    static func with(
        _ signal: ServiceSignal, _ command: [String], in scratch: Scratch,
        _ body: @escaping @Sendable (_ parent: Int32, _ group: Int32) async throws -> Void
    ) async throws {
        _ = try await run(
            .path(FilePath(program())), arguments: Arguments([scratch.path, String(signal.rawValue)] + command), input: .none,
            output: .sequence, error: .discarded
        ) { execution in
            let parent = execution.processIdentifier.value
            defer { kill(parent, SIGKILL) }
            for try await line in execution.standardOutput.strings() where line.hasPrefix("ready ") {
                try await body(parent, try #require(Int32(line.dropFirst("ready ".count).filter(\.isNumber))))
                break
            }
        }
    }
}

/// Whether the sweeps of `Tests/run --long` run.
let isLong = getenv("SNIKKET_LONG_TESTS") != nil
