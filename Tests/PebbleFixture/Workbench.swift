import Glibc
import RealServers
import Subprocess
import SystemPackage

/// A folder of its own for one test, and the servers that it starts: all gone when the test ends.
public struct Workbench: Sendable {
    public let folder: String

    /// Makes the folder, readable for servers that drop root, and removes it afterwards. Shows the servers' logs when the test throws.
    public static func with<Value>(_ body: (Workbench) async throws -> Value) async throws -> Value {
        var template = Array("/tmp/snikket-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
        let folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        chmod(folder, 0o755)
        let bench = Workbench(folder: folder)
        do {
            let value = try await body(bench)
            try await bench.remove()
            return value
        } catch {
            print(bench.logs())
            try? await bench.remove()
            throw error
        }
    }

    /// A path in the folder.
    public func path(_ name: String) -> String { folder + "/" + name }

    /// Writes a file in the folder, and returns its path.
    @discardableResult
    public func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }

    /// Writes a file in the folder, and returns its path.
    @discardableResult
    public func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = try FileDescriptor.open(
            FilePath(path(name)), .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite, .groupRead, .otherRead])
        try file.closeAfter { _ = try file.writeAll(bytes) }
        return path(name)
    }

    /// Writes a program into the folder, and returns its path.
    public func program(_ name: String, _ text: String) async throws -> String { try await putProgram(text, at: path(name)) }

    /// Reads a file in the folder.
    public func read(_ name: String) throws -> String {
        let file = try FileDescriptor.open(FilePath(path(name)), .readOnly)
        return try file.closeAfter {
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65536)
            while case let count = try buffer.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 { bytes += buffer.prefix(count) }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    /// Runs a server while the body runs. It is ready when it accepts connections on the port; its output goes to `NAME.log`.
    public func running<Value: Sendable>(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], named name: String, port: Int,
        _ body: () async throws -> Value
    ) async throws -> Value {
        let log = try FileDescriptor.open(FilePath(path(name + ".log")), .writeOnly, options: [.create, .append], permissions: [.ownerReadWrite])
        defer { try? log.close() }
        let variables = Dictionary(uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0.key), Optional($0.value)) })
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                var options = PlatformOptions()
                options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(3))]
                _ = try await run(
                    program.hasPrefix("/") ? .path(FilePath(program)) : .name(program), arguments: Arguments(arguments),
                    environment: .inherit.updating(variables), platformOptions: options,
                    output: .fileDescriptor(log, closeAfterSpawningProcess: false), error: .fileDescriptor(log, closeAfterSpawningProcess: false))
            }
            defer { group.cancelAll() }
            try await Loopback.waitUntilOpen(port)
            return try await body()
        }
    }

    private func logs() -> String {
        guard let stream = opendir(folder) else { return "" }
        defer { closedir(stream) }
        var text = ""
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } }
            if name.hasSuffix(".log"), let content = try? read(name) { text += "---- \(name)\n\(content.suffix(6000))\n" }
        }
        return text
    }

    private func remove() async throws {
        _ = try await run(.name("rm"), arguments: ["-rf", folder], output: .discarded)
    }
}
