import Glibc

/// A folder of a test's own, removed at its end.
final class Folder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/snikket-test-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw Problem(what: "mkdtemp", code: errno) }
        path = String(cString: made)
        chmod(path, 0o755)
    }

    deinit { Self.remove(path) }

    struct Problem: Error { let what: String; let code: Int32 }

    static func read(_ path: String) throws -> String {
        guard let file = fopen(path, "re") else { throw Problem(what: path, code: errno) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func write(_ text: String, to path: String) throws {
        guard let file = fopen(path, "we") else { throw Problem(what: path, code: errno) }
        let bytes = Array(text.utf8)
        let written = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, written == bytes.count else { throw Problem(what: path, code: errno) }
    }

    private static func remove(_ path: String) {
        var information = stat()
        guard lstat(path, &information) == 0 else { return }
        if information.st_mode & S_IFMT == S_IFDIR, let folder = opendir(path) {
            while let entry = readdir(folder) {
                let name = withUnsafePointer(to: entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != ".", name != ".." { remove(path + "/" + name) }
            }
            closedir(folder)
            rmdir(path)
        } else {
            unlink(path)
        }
    }
}
