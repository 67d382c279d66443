import DurableFiles
import Glibc

extension File {
    /// Whether the file is there with these contents, permissions and owner.
    static func matches(_ path: String, contents: [UInt8], mode: UInt32, owner: Account?) -> Bool {
        var information = stat()
        guard lstat(path, &information) == 0, information.st_mode & 0o7777 == mode, information.st_mode & S_IFMT == S_IFREG else { return false }
        if let owner, information.st_uid != owner.user || information.st_gid != owner.group { return false }
        return (try? read(path, limit: rendered, followingLinks: false)) == contents
    }

    /// A file that should be one of ours: no link, and at most as large as a rendered file may be.
    static func own(_ path: String) throws(ServerConfigsError) -> [UInt8] {
        try onDisk { () throws(FileError) in try read(path, limit: rendered, followingLinks: false) }
    }

    /// Far above any rendered file, in bytes.
    private static let rendered = 16 << 20
}

/// What a room below throws, as this room's own.
func onDisk<Result>(_ body: () throws(FileError) -> Result) throws(ServerConfigsError) -> Result {
    do throws(FileError) {
        return try body()
    } catch {
        throw .file(error)
    }
}
