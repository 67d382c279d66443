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
        do {
            let file = try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
            return try file.closeAfter {
                var content: [UInt8] = []
                var chunk = [UInt8](repeating: 0, count: 4096)
                while case let count = try chunk.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 {
                    content += chunk[..<count]
                    guard content.count <= 1 << 20 else { throw PrivateFileError.malformed(path: path) }
                }
                return content
            }
        } catch Errno.noSuchFileOrDirectory {
            return nil
        } catch let error as PrivateFileError {
            throw error
        } catch {
            throw .system(path: path, errno: error as? Errno ?? .ioError)
        }
    }

    /// Puts a file in place, created with mode 0600.
    public static func write(_ content: [UInt8], to path: String) throws(PrivateFileError) {
        let temporary = FilePath(path + ".new")
        do {
            // A leftover of a killed writer would keep its own permissions.
            do { try remove(temporary) } catch Errno.noSuchFileOrDirectory {}
            let file = try FileDescriptor.open(
                temporary, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: [.ownerReadWrite])
            try file.closeAfter {
                try file.writeAll(content)
                try synchronize(file)
            }
            try rename(temporary, to: FilePath(path))
            let folder = try FileDescriptor.open(FilePath(path).removingLastComponent(), .readOnly, options: [.directory, .closeOnExec])
            try folder.closeAfter { try synchronize(folder) }
        } catch {
            throw .system(path: path, errno: error as? Errno ?? .ioError)
        }
    }
}
