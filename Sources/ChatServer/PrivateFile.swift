public import SystemPackage

/// Why a private file could not be read or written.
public enum PrivateFileError: Error, Equatable {
    /// The system refused.
    case system(path: String, errno: Errno)
    /// It does not hold what it should.
    case malformed(path: String)
}

/// Small files that one user may read, replaced as a whole: whoever reads sees the old content or the new one.
public enum PrivateFile {
    /// The whole content; nil when there is no such file.
    public static func read(_ path: String) throws(PrivateFileError) -> [UInt8]? {
        let content: [UInt8]
        do {
            content = try contentOfFile(FilePath(path))
        } catch let error as Errno where error == .noSuchFileOrDirectory {
            return nil
        } catch {
            throw .system(path: path, errno: error as? Errno ?? .ioError)
        }
        guard content.count <= limit else { throw .malformed(path: path) }
        return content
    }

    /// Puts a file in place, created with mode 0600.
    public static func write(_ content: [UInt8], to path: String) throws(PrivateFileError) {
        do {
            try replaceFile(FilePath(path), with: content)
        } catch {
            throw .system(path: path, errno: error as? Errno ?? .ioError)
        }
    }

    /// Larger than any file that is meant here, in bytes.
    private static let limit = 1 << 20

    private static func contentOfFile(_ path: FilePath) throws -> [UInt8] {
        let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
        defer { try? file.close() }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while content.count <= limit {
            let count = try chunk.withUnsafeMutableBytes { buffer in try file.read(into: buffer) }
            if count == 0 { break }
            content += chunk[..<count]
        }
        return content
    }

    private static func replaceFile(_ path: FilePath, with content: [UInt8]) throws {
        let temporary = FilePath(path.string + ".new")
        // A leftover of a killed writer would keep its own permissions.
        try removeIfThere(temporary)
        let file = try FileDescriptor.open(
            temporary, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: [.ownerReadWrite])
        try file.closeAfter {
            _ = try file.writeAll(content)
            try synchronize(file)
        }
        try rename(temporary, to: path)
        let folder = try FileDescriptor.open(path.removingLastComponent(), .readOnly, options: [.directory, .closeOnExec])
        try folder.closeAfter { try synchronize(folder) }
    }
}
