internal import Glibc

/// Who is to own files.
public struct Owner: Sendable, Equatable {
    public var uid: UInt32
    public var gid: UInt32
    public init(uid: UInt32, gid: UInt32) {
        self.uid = uid
        self.gid = gid
    }
}

/// The whole content; nil when there is no such file. At most a mebibyte: nothing of ours is larger.
public func content(of path: String) throws(StoreError) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
        if errno == ENOENT || errno == ENOTDIR { return nil }
        throw .file(path: path, errno: errno)
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
        let count = read(descriptor, &buffer, buffer.count)
        if count == 0 { return bytes }
        guard count > 0 else {
            if errno == EINTR { continue }
            throw .file(path: path, errno: errno)
        }
        bytes += buffer.prefix(count)
        guard bytes.count <= 1_048_576 else { throw .damaged(path: path) }
    }
}

/// Creates the file with this mode and content, and puts it on the disk. The file must not exist.
func create(_ path: String, _ bytes: [UInt8], mode: mode_t, owner: Owner?) throws(StoreError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
    guard descriptor >= 0 else { throw .file(path: path, errno: errno) }
    defer { close(descriptor) }
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count > 0 {
            rest = rest.dropFirst(count)
        } else if errno != EINTR {
            throw .file(path: path, errno: errno)
        }
    }
    // The mode may have been narrowed by the umask.
    guard fchmod(descriptor, mode) == 0 else { throw .file(path: path, errno: errno) }
    if let owner, fchown(descriptor, owner.uid, owner.gid) != 0 { throw .file(path: path, errno: errno) }
    guard fsync(descriptor) == 0 else { throw .file(path: path, errno: errno) }
}

/// Replaces a file as a whole: a temporary name, fsync, rename, fsync of the folder.
public func replaceFile(_ path: String, with bytes: [UInt8], mode: UInt32) throws(StoreError) {
    let staged = "\(path).new-\(getpid())"
    unlink(staged)
    try create(staged, bytes, mode: mode, owner: nil)
    guard rename(staged, path) == 0 else { throw .file(path: path, errno: errno) }
    try flush(folder: path.parent)
}

/// Puts the names in a folder on the disk.
public func flush(folder: String) throws(StoreError) {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .file(path: folder, errno: errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .file(path: folder, errno: errno) }
}

/// Makes a folder and those above it; nothing happens when it is there.
public func makeFolder(_ path: String, mode: UInt32) throws(StoreError) {
    if mkdir(path, mode) == 0 { return }
    if errno == ENOENT, path.parent != path {
        try makeFolder(path.parent, mode: 0o755)
        if mkdir(path, mode) == 0 { return }
    }
    var status = stat()
    let reason = errno
    guard reason == EEXIST, stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
        throw .file(path: path, errno: reason)
    }
}

/// The names in a folder; none when it cannot be read, or is a link: what lies behind one is not ours to touch.
func entries(of folder: String) -> [String] {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
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

/// Removes a folder of ours: the files in it, then itself.
func removeFolder(_ path: String) {
    for name in entries(of: path) { unlink("\(path)/\(name)") }
    rmdir(path)
}

/// Where a symbolic link points; nil when it is none.
func target(ofLink path: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: 1024)
    let count = buffer.withUnsafeMutableBytes { bytes in
        bytes.withMemoryRebound(to: CChar.self) { chars in chars.baseAddress.map { readlink(path, $0, chars.count) } ?? -1 }
    }
    guard count > 0, count < buffer.count else { return nil }
    return String(decoding: buffer.prefix(count), as: UTF8.self)
}

/// Points a symbolic link at something, in one step.
func replaceLink(_ path: String, with target: String) throws(StoreError) {
    let staged = "\(path).new-\(getpid())"
    unlink(staged)
    guard symlink(target, staged) == 0, rename(staged, path) == 0 else { throw .file(path: path, errno: errno) }
}

extension String {
    /// The folder that a path lies in.
    var parent: String {
        guard let slash = lastIndex(of: "/") else { return "." }
        return slash == startIndex ? "/" : String(self[..<slash])
    }
}
