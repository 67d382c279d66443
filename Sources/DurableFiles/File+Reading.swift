internal import Glibc

/// Whole files. What is written is there as it was or as it shall be, whenever the power goes or the program is killed.
public enum File {
    /// No file of ours is larger, in bytes.
    public static let usualLimit = 1 << 20

    /// The whole content.
    ///
    /// - Parameters:
    ///   - limit: the most bytes; a larger file is refused with `EFBIG`: whoever made it so wants our memory.
    ///   - followingLinks: whether a symbolic link may lie in its place.
    ///   - waiting: for a file that a person names, which may be a pipe. Otherwise nothing is waited for.
    public static func read(
        _ path: String, limit: Int = usualLimit, followingLinks: Bool = true, waiting: Bool = false
    ) throws(FileError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | (followingLinks ? 0 : O_NOFOLLOW) | (waiting ? 0 : O_NONBLOCK))
        guard descriptor >= 0 else { throw .reading(path) }
        defer { close(descriptor) }
        return try read(descriptor: descriptor, named: path, limit: limit)
    }

    /// The whole content; nil when there is no such file.
    public static func readIfThere(_ path: String, limit: Int = usualLimit) throws(FileError) -> [UInt8]? {
        do throws(FileError) {
            return try read(path, limit: limit)
        } catch {
            if error.errno == ENOENT || error.errno == ENOTDIR { return nil }
            throw error
        }
    }

    /// When its content was changed last, in seconds since 1970; nil when there is no such file.
    public static func lastChange(of path: String) -> Int? {
        var facts = stat()
        return stat(path, &facts) == 0 ? Int(facts.st_mtim.tv_sec) : nil
    }

    /// Whatever comes through an open descriptor, up to its end.
    ///
    /// - Parameter name: what errors call it.
    public static func read(descriptor: Int32, named name: String, limit: Int = usualLimit) throws(FileError) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return bytes }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw .reading(name)
            }
            bytes += buffer[..<count]
            guard bytes.count <= limit else { throw FileError(.read, name, errno: EFBIG) }
        }
    }

    /// What a path means when every link in it is followed; nil when it leads nowhere.
    public static func real(_ path: String) -> String? {
        guard let found = realpath(path, nil) else { return nil }
        defer { free(found) }
        return String(cString: found)
    }

    /// The folder that a path lies in.
    public static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The last part of a path.
    public static func name(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }
}
