import Glibc

/// Who a file belongs to.
public struct FileOwner: Sendable, Equatable {
    /// The user id.
    public var user: UInt32
    /// The group id.
    public var group: UInt32

    public init(user: UInt32, group: UInt32) {
        self.user = user
        self.group = group
    }
}

/// Whole files, read and replaced. A file is there as it was or as it shall be, also after power loss.
enum File {
    static func read(_ path: String) throws(ServerConfigsError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { throw .unreadable(path: path, code: errno) }
        defer { close(descriptor) }
        var contents: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return contents }
            if count < 0 {
                if errno == EINTR { continue }
                throw .unreadable(path: path, code: errno)
            }
            contents += buffer[..<count]
            // Far above any file of ours: whoever made it larger wants our memory.
            guard contents.count <= 16 << 20 else { throw .unreadable(path: path, code: EFBIG) }
        }
    }

    /// Replaces a file: temporary name, fsync, rename, fsync of the folder. It never has more permissions than `mode`.
    static func write(_ contents: [UInt8], to path: String, mode: UInt32, owner: FileOwner?) throws(ServerConfigsError) {
        let (folder, name) = parts(of: path)
        let temporary = "\(folder)/.\(name).new"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .unwritable(path: path, code: errno) }
        var isOpen = true
        defer { if isOpen { close(descriptor) } }
        do throws(ServerConfigsError) {
            try writeAll(contents, descriptor, path)
            if let owner, fchown(descriptor, owner.user, owner.group) != 0 { throw .unwritable(path: path, code: errno) }
            guard fchmod(descriptor, mode) == 0, fsync(descriptor) == 0 else { throw .unwritable(path: path, code: errno) }
            isOpen = false
            guard close(descriptor) == 0, rename(temporary, path) == 0 else { throw .unwritable(path: path, code: errno) }
        } catch {
            unlink(temporary)
            throw error
        }
        try synchronize(folder: folder)
    }

    /// Whether the file is there with these contents, permissions and owner.
    static func matches(_ path: String, contents: [UInt8], mode: UInt32, owner: FileOwner?) -> Bool {
        var information = stat()
        guard lstat(path, &information) == 0, information.st_mode & 0o7777 == mode, information.st_mode & S_IFMT == S_IFREG else { return false }
        if let owner, information.st_uid != owner.user || information.st_gid != owner.group { return false }
        return (try? read(path)) == contents
    }

    /// Makes a folder, and those above it. One that is there stays as it is; a link in its place is refused.
    static func makeFolder(_ path: String, mode: UInt32, owner: FileOwner? = nil) throws(ServerConfigsError) {
        if mkdir(path, mode) == 0 {
            if let owner, lchown(path, owner.user, owner.group) != 0 { throw .unwritable(path: path, code: errno) }
            return
        }
        switch errno {
        case EEXIST:
            var information = stat()
            guard lstat(path, &information) == 0, information.st_mode & S_IFMT == S_IFDIR else { throw .unwritable(path: path, code: ENOTDIR) }
        case ENOENT where path.count > 1:
            try makeFolder(parts(of: path).folder, mode: 0o755)
            try makeFolder(path, mode: mode, owner: owner)
        default: throw .unwritable(path: path, code: errno)
        }
    }

    static func parts(of path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        let folder = path[..<slash]
        return (folder.isEmpty ? "/" : String(folder), String(path[path.index(after: slash)...]))
    }

    private static func writeAll(_ contents: [UInt8], _ descriptor: Int32, _ path: String) throws(ServerConfigsError) {
        var written = 0
        while written < contents.count {
            let count = contents[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .unwritable(path: path, code: errno) }
            written += count
        }
    }

    private static func synchronize(folder: String) throws(ServerConfigsError) {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unwritable(path: folder, code: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .unwritable(path: folder, code: errno) }
    }
}
