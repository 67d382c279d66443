import Glibc
import Subprocess
import SystemPackage
import Testing

/// A folder that is gone after the test.
struct Scratch {
    let path: String

    static func with<Result>(_ body: (Scratch) async throws -> Result) async throws -> Result {
        var template = Array("/tmp/snikket-health-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
        let scratch = Scratch(path: String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        chmod(scratch.path, 0o755)
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body(scratch)) } catch { result = .failure(error) }
        _ = try await run(.path("/bin/rm"), arguments: ["-rf", scratch.path], output: .discarded)
        return try result.get()
    }

    func write(_ name: String, _ text: String) throws -> String {
        let file = try FileDescriptor.open("\(path)/\(name)", .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite, .groupRead, .otherRead])
        try file.closeAfter { _ = try file.writeAll(text.utf8) }
        return "\(path)/\(name)"
    }

    /// A self-signed certificate and its key.
    func certificate(for name: String) async throws -> (certificate: String, key: String) {
        let made = try await run(
            .path("/usr/bin/openssl"),
            arguments: [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "\(path)/key.pem",
                "-out", "\(path)/cert.pem", "-days", "2", "-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:\(name)",
            ], output: .discarded)
        try #require(made.terminationStatus.isSuccess)
        return ("\(path)/cert.pem", "\(path)/key.pem")
    }
}

/// A server of its own, killed after the test.
struct RealServer {
    let pid: Int32

    static func with<Result: Sendable>(
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
    func signal(_ signal: Int32) { kill(-pid, signal) }
}

/// Tries until it works; throws the last error at the deadline.
func eventually(within deadline: Duration = .seconds(20), _ body: () async throws -> Void) async throws {
    let end = ContinuousClock.now + deadline
    while true {
        do {
            return try await body()
        } catch where ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}

/// A port of 127.0.0.1 that nobody listens on, outside the range that the kernel hands out.
func freePort() throws -> Int {
    for _ in 0..<1000 {
        let port = Int.random(in: 20000..<32000)
        if [SOCK_STREAM, SOCK_DGRAM].allSatisfy({ isFree(port, Int32($0.rawValue)) }) { return port }
    }
    throw Errno.addressInUse
}

private func isFree(_ port: Int, _ type: Int32) -> Bool {
    let descriptor = socket(AF_INET, type, 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
    }
}
