import DurableFiles
import Glibc

/// Copies of parts of a state, with owners and permissions, on the disk when it returns.
enum StateCopy {
    /// Copies a file or folder to the same path below another folder. What is not there is passed over, sockets and pipes too.
    ///
    /// - Parameter isRestrained: whether root may lack the capability to override permissions, as `snikket up` does: it then reads as the owner of the
    ///   folder at the state's top.
    static func copy(_ path: String, from source: String, to target: String, isRestrained: Bool) throws(FileError) {
        let parts = path.split(separator: "/").map(String.init)
        var top = stat()
        guard let first = parts.first, lstat("\(source)/\(first)", &top) == 0 else { return }
        let owner = isRestrained && geteuid() == 0 && top.st_uid != 0 ? Account(user: top.st_uid, group: top.st_gid) : nil
        var folder = ""
        for part in parts.dropLast() {
            var above = stat()
            guard lstat(target + folder, &above) == 0 else { throw FileError(.write, target + folder, errno: errno) }
            folder += "/\(part)"
            guard try facts(source + folder, owner) != nil else { return }
            // A folder on the way is that of whoever has the one above it.
            if mkdir(target + folder, 0o700) == 0, lchown(target + folder, above.st_uid, above.st_gid) != 0 {
                throw FileError(.write, target + folder, errno: errno)
            }
        }
        try copy("\(source)/\(path)", "\(target)/\(path)", owner)
        try Folder.flush(target + folder)
    }

    private static func copy(_ source: String, _ target: String, _ owner: Account?) throws(FileError) {
        guard let facts = try facts(source, owner) else { return }
        switch facts.st_mode & S_IFMT {
        case S_IFDIR:
            guard mkdir(target, 0o700) == 0 else { throw FileError(.write, target, errno: errno) }
            let names = try File.acting(as: owner, on: source) { () throws(FileError) in Folder.names(in: source) }
            for name in names { try copy("\(source)/\(name)", "\(target)/\(name)", owner) }
            try Folder.flush(target)
            try give(target, facts)
        case S_IFREG: try copyFile(source, target, owner, facts)
        case S_IFLNK:
            let link = try File.acting(as: owner, on: source) { () throws(FileError) in SymbolicLink.target(of: source) }
            guard let link, symlink(link, target) == 0, lchown(target, facts.st_uid, facts.st_gid) == 0 else {
                throw FileError(.write, target, errno: errno)
            }
        default: break
        }
    }

    private static func copyFile(_ source: String, _ target: String, _ owner: Account?, _ facts: stat) throws(FileError) {
        let reading = try File.acting(as: owner, on: source) { () throws(FileError) in
            let descriptor = open(source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
            guard descriptor >= 0 else { throw FileError(.read, source, errno: errno) }
            return descriptor
        }
        defer { close(reading) }
        let writing = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard writing >= 0 else { throw FileError(.write, target, errno: errno) }
        defer { close(writing) }
        try copyContents(reading, source, writing, target)
        // Given away last: what is another's is not ours to change.
        guard fchmod(writing, facts.st_mode & 0o7777) == 0, fchown(writing, facts.st_uid, facts.st_gid) == 0, fsync(writing) == 0 else {
            throw FileError(.write, target, errno: errno)
        }
    }

    private static func copyContents(_ reading: Int32, _ source: String, _ writing: Int32, _ target: String) throws(FileError) {
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = read(reading, &buffer, buffer.count)
            if count == 0 { return }
            guard count > 0 || errno == EINTR else { throw FileError(.read, source, errno: errno) }
            var written = 0
            while written < count {
                let part = buffer[written..<count].withUnsafeBytes { write(writing, $0.baseAddress, $0.count) }
                guard part > 0 || errno == EINTR else { throw FileError(.write, target, errno: errno) }
                written += max(0, part)
            }
        }
    }

    private static func facts(_ path: String, _ owner: Account?) throws(FileError) -> stat? {
        try File.acting(as: owner, on: path) { () throws(FileError) in
            var facts = stat()
            if lstat(path, &facts) == 0 { return facts }
            guard errno == ENOENT || errno == ENOTDIR else { throw FileError(.read, path, errno: errno) }
            return nil
        }
    }

    private static func give(_ path: String, _ facts: stat) throws(FileError) {
        guard chmod(path, facts.st_mode & 0o7777) == 0, lchown(path, facts.st_uid, facts.st_gid) == 0 else {
            throw FileError(.write, path, errno: errno)
        }
    }
}
