internal import Glibc

/// Symbolic links: one can be pointed at something else in one step.
public enum SymbolicLink {
    /// Where it points; nil when it is none.
    public static func target(of path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: 1024)
        let count = buffer.withUnsafeMutableBytes { bytes in
            bytes.withMemoryRebound(to: CChar.self) { chars in chars.baseAddress.map { readlink(path, $0, chars.count) } ?? -1 }
        }
        guard count > 0, count < buffer.count else { return nil }
        return String(decoding: buffer.prefix(count), as: UTF8.self)
    }

    /// Points it at something, in one step, and puts that on the disk. When it fails it is what it was.
    public static func point(_ path: String, at target: String) throws(FileError) {
        let staged = try File.stagingName(for: path)
        guard symlink(target, staged) == 0 else { throw .writing(path) }
        guard rename(staged, path) == 0 else {
            let error = FileError.writing(path)
            unlink(staged)
            throw error
        }
        try Folder.flush(File.folder(of: path))
    }
}
