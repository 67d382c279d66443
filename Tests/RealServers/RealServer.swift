import Glibc
import Subprocess
import SystemPackage

/// A folder that is gone after the test.
public struct Scratch: Sendable {
    /// Where it lies.
    public let path: String

    /// Makes a folder, and removes it when `body` is done.
    public static func with<Result>(_ body: (Scratch) async throws -> Result) async throws -> Result {
        var template = Array("/tmp/snikket-health-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
        let scratch = Scratch(path: String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        chmod(scratch.path, 0o755)
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body(scratch)) } catch { result = .failure(error) }
        _ = try await run(.path("/bin/rm"), arguments: ["-rf", scratch.path], output: .discarded)
        return try result.get()
    }

    /// Writes a file; returns its path.
    public func write(_ name: String, _ text: String) throws -> String {
        let file = try FileDescriptor.open(
            "\(path)/\(name)", .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite, .groupRead, .otherRead])
        try file.closeAfter { _ = try file.writeAll(text.utf8) }
        return "\(path)/\(name)"
    }

    /// A self-signed certificate and its key.
    public func certificate(for name: String) async throws -> (certificate: String, key: String) {
        let made = try await run(
            .path("/usr/bin/openssl"),
            arguments: [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "\(path)/key.pem",
                "-out", "\(path)/cert.pem", "-days", "2", "-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:\(name)",
            ], output: .discarded)
        guard made.terminationStatus.isSuccess else { throw NoCertificate() }
        return ("\(path)/cert.pem", "\(path)/key.pem")
    }
}

/// A server of its own, killed after the test.
public struct RealServer: Sendable {
    /// Its main process.
    public let pid: Int32

    /// Runs a program for as long as `body` takes.
    public static func with<Result: Sendable>(
        _ executable: String, _ arguments: [String], _ body: @escaping @Sendable (RealServer) async throws -> Result
    ) async throws -> Result {
        var options = PlatformOptions()
        options.createSession = true
        let log = FileDescriptor.standardError
        let outcome = try await run(
            .path(FilePath(executable)), arguments: Arguments(arguments), platformOptions: options, input: .none,
            output: .fileDescriptor(log, closeAfterSpawningProcess: false), error: .fileDescriptor(log, closeAfterSpawningProcess: false)
        ) { execution in
            let server = RealServer(pid: execution.processIdentifier.value)
            let result: Swift.Result<Result, any Error>
            do { result = .success(try await body(server)) } catch { result = .failure(error) }
            server.signal(SIGKILL)
            return result
        }
        return try outcome.closureResult.get()
    }

    /// To all its processes.
    public func signal(_ signal: Int32) { kill(-pid, signal) }
}

/// openssl made no certificate.
private struct NoCertificate: Error {}

extension Scratch {
    /// Runs a program to its end, which has to be a good one.
    public func succeed(_ program: String, _ arguments: [String]) async throws {
        let result = try await run(
            .path(FilePath(program)), arguments: Arguments(arguments), output: .string(limit: 1 << 20), error: .combinedWithOutput)
        guard result.terminationStatus.isSuccess else { throw DidNotSucceed(program: program, output: result.standardOutput) }
    }
}

/// A program that a test needs ended badly.
struct DidNotSucceed: Error {
    var program: String
    var output: String
}
