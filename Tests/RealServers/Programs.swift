import Subprocess
import SystemPackage

/// Writes a program that can be started at once; returns its path.
///
/// Another process writes it: a file that this one writes to is open in the children of other tests too, until they have become what they
/// are started for, and so long execve(2) refuses it (ETXTBSY).
@discardableResult
public func putProgram(_ text: String, at path: String) async throws -> String {
    let result = try await run(
        .path("/usr/bin/install"), arguments: ["--mode=755", "/dev/stdin", path], input: .string(text), output: .string(limit: 1 << 16),
        error: .combinedWithOutput)
    guard result.terminationStatus.isSuccess else { throw DidNotSucceed(program: "install", output: result.standardOutput) }
    return path
}

extension Scratch {
    /// Writes a program into it; returns its path.
    public func program(_ name: String, _ text: String) async throws -> String { try await putProgram(text, at: "\(path)/\(name)") }
}
