import Glibc
import Subprocess
import SystemPackage

/// What another program printed about a file that a test wrote, and a folder that goes with the test.
final class Workbench: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/snikket-templates-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw Failed(what: "mkdtemp", code: errno) }
        path = String(cString: made)
    }

    deinit {
        if let folder = opendir(path) {
            while let entry = readdir(folder) {
                let name = withUnsafePointer(to: entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                unlink(path + "/" + name)
            }
            closedir(folder)
        }
        rmdir(path)
    }

    struct Failed: Error { let what: String; let code: Int32 }

    func write(_ text: String, to name: String) throws -> String {
        let file = path + "/" + name
        guard let handle = fopen(file, "we") else { throw Failed(what: file, code: errno) }
        let bytes = Array(text.utf8)
        let written = fwrite(bytes, 1, bytes.count, handle)
        guard fclose(handle) == 0, written == bytes.count else { throw Failed(what: file, code: errno) }
        return file
    }

    /// Both outputs of a program that ends by itself; a deadline ends it otherwise.
    func output(of program: String, _ arguments: String...) async throws -> [UInt8] {
        let result = try await run(
            .name("timeout"), arguments: Arguments(["-k", "1", "30", program] + arguments), output: .bytes(limit: 4_000_000),
            error: .combinedWithOutput)
        return result.standardOutput
    }
}

/// Hexadecimal lines, one a value: what the foreign readers print, so that nothing is lost on the way.
func values(fromHexadecimal output: [UInt8]) -> [String] {
    String(decoding: output, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).dropLast().map { line in
        let digits = Array(line.utf8)
        let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap { UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
