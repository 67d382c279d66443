import CertificateStore
import Glibc
import PebbleFixture
import Subprocess
import SystemPackage

/// A finished run of the certificate program.
struct CertificateProgramRun {
    var status: TerminationStatus
    var events: [CertificateEvent]
    var errors: String
    /// Standard output.
    var lines: [Substring]

    var exitCode: Int32? {
        if case .exited(let code) = status { code } else { nil }
    }

    var failure: CertificateFailure? {
        for case .failed(let failure) in events { return failure }
        return nil
    }

    var issued: CertificateRecord? {
        for case .issued(let record, _, _) in events { return record }
        return nil
    }

    /// The program, beside the tests.
    static var program: String {
        var folder = FilePath("/proc/self/exe")
        if let path = realpath("/proc/self/exe", nil) {
            folder = FilePath(String(cString: path))
            free(path)
        }
        return folder.removingLastComponent().appending("snikket-certs").string
    }

    /// Runs it to its end.
    static func of(_ arguments: [String], launcher: [String] = [], input: [UInt8] = []) async throws -> CertificateProgramRun {
        let line = launcher + [program] + arguments
        let result = try await run(
            line[0].hasPrefix("/") ? .path(FilePath(line[0])) : .name(line[0]), arguments: Arguments(Array(line.dropFirst())), input: .array(input),
            output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        let output = result.standardOutput
        return CertificateProgramRun(
            status: result.terminationStatus, events: output.split(separator: "\n").compactMap { CertificateEvent(line: $0) },
            errors: result.standardError, lines: output.split(separator: "\n"))
    }
}

extension Workbench {
    static let names = ["example.org", "groups.example.org", "share.example.org"]

    /// The arguments of `issue` for the three names.
    func issue(from pebble: Pebble, _ fulfilment: [String], names: [String] = Workbench.names) -> [String] {
        ["issue", "--directory", pebble.directory, "--ca-bundle", pebble.roots, "--email", "admin@example.org"]
            + names.flatMap { ["--name", $0] } + ["--state", path("acme"), "--output", path("certificates")] + fulfilment
    }

    var store: CertificateStore { CertificateStore(folder: path("certificates")) }

    /// Whether chain and key in the output folder belong together and hold the names.
    func pairIsGood(names: [String] = Workbench.names) async throws -> Bool {
        let run = try await CertificateProgramRun.of(
            ["inspect", "--fullchain", path("certificates/fullchain.pem"), "--key", path("certificates/privkey.pem")]
                + names.flatMap { ["--name", $0] })
        return run.exitCode == 0
    }
}
