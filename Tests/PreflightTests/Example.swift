import Settings
import Subprocess
import SystemPackage

@testable import Preflight

extension Settings {
    /// Two lines, and what a test adds.
    static func example(_ more: String = "") throws -> Settings {
        try Settings(parsing: "SNIKKET_DOMAIN=chat.example.org\nSNIKKET_ADMIN_EMAIL=a@example.org\n" + more, file: "snikket.conf")
    }
}

extension [Finding] {
    /// What is not as it has to be, for a comparison.
    var problems: [String] { filter { $0.level != .green }.map { "\($0.topic.rawValue) \($0.level.rawValue)" } }
}

/// Runs a script in a network of its own, in which it may do anything, and gives back what it printed.
func inNetworkOfItsOwn(_ script: String) async throws -> String {
    let result = try await run(
        .path("/usr/bin/unshare"), arguments: ["--net", "--map-root-user", "sh", "-ec", script], input: .none, output: .string(limit: 1 << 20),
        error: .string(limit: 1 << 16))
    guard result.terminationStatus.isSuccess else { throw ScriptFailed(said: result.standardError) }
    return result.standardOutput
}

struct ScriptFailed: Error {
    var said: String
}
