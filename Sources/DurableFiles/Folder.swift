internal import Glibc

/// Folders and the names in them.
public enum Folder {
    /// Makes a folder, and those above it with mode 0755. One that is there stays as it is.
    ///
    /// - Parameters:
    ///   - owner: who a new one shall belong to; nil: whoever runs this.
    ///   - followingLinks: whether a symbolic link to a folder will do.
    public static func make(_ path: String, mode: UInt32, owner: Account? = nil, followingLinks: Bool = false) throws(FileError) {
        if mkdir(path, mode) == 0 {
            if let owner, lchown(path, owner.user, owner.group) != 0 { throw .writing(path) }
            return try flush(File.folder(of: path))
        }
        let reason = errno
        if reason == ENOENT, File.folder(of: path) != path {
            try make(File.folder(of: path), mode: 0o755, followingLinks: true)
            return try make(path, mode: mode, owner: owner, followingLinks: followingLinks)
        }
        var status = stat()
        guard (followingLinks ? stat(path, &status) : lstat(path, &status)) == 0 else { throw FileError(.write, path, errno: reason) }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw FileError(.write, path, errno: ENOTDIR) }
    }

    /// Puts the names in a folder on the disk.
    public static func flush(_ path: String) throws(FileError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .writing(path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .writing(path) }
    }

    /// The names in a folder; none when it cannot be read, or is a link: what lies behind one is not ours to touch.
    ///
    /// - Parameter followingLinks: for a folder that a person may have put somewhere else.
    public static func names(in path: String, followingLinks: Bool = false) -> [String] {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (followingLinks ? 0 : O_NOFOLLOW))
        guard descriptor >= 0 else { return [] }
        guard let stream = fdopendir(descriptor) else {
            close(descriptor)
            return []
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Removes a folder of ours: the files in it, then itself. As much as can be removed: whoever calls this finds the rest the next time.
    public static func remove(_ path: String) {
        for name in names(in: path) { unlink("\(path)/\(name)") }
        rmdir(path)
    }
}
