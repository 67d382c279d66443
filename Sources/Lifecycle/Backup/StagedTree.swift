import DurableFiles
import Glibc

/// Puts things into a tree of ours, at the paths that they have elsewhere. Every folder on the way is opened by itself and no link followed: a server may
/// have put a link to where its folder was, and whoever goes by that name writes where the server wants.
final class StagedTree {
    private let root: Descriptor
    /// Files come folder by folder.
    private var last: (path: Substring, folder: Descriptor)?

    /// - Parameter path: a folder that nobody else can enter.
    init(_ path: String) throws(BackupError) {
        root = try .open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    }

    /// Makes a folder like another. One that is there stays.
    func makeFolder(like item: Tree.Item) throws(BackupError) {
        guard let parent = try folder(of: item.path) else { return }
        guard mkdirat(parent.number, item.name, 0o700) == 0 else {
            if errno == EEXIST { return }
            throw failure(item)
        }
        guard let made = try Self.open(item.name, in: parent), fchmod(made.number, item.permissions | 0o700) == 0,
            geteuid() != 0 || fchown(made.number, item.status.st_uid, item.status.st_gid) == 0
        else { throw failure(item) }
    }

    /// Moves a file of ours to where something is that it is a copy of.
    func move(_ copy: String, to item: Tree.Item) throws(BackupError) {
        guard let parent = try folder(of: item.path) else { return }
        guard renameat(AT_FDCWD, copy, parent.number, item.name) == 0 else { throw failure(item) }
    }

    /// Puts a link to the same file there; a copy where there can be none. What is there already stays, and what has gone meanwhile is passed over.
    func link(_ item: Tree.Item) throws(BackupError) {
        guard let parent = try folder(of: item.path), linkat(item.folder, item.name, parent.number, item.name, 0) != 0 else { return }
        switch errno {
        case EEXIST, ENOENT: return
        case EMLINK, EPERM, EXDEV, EACCES: try duplicate(item, in: parent)
        default: throw failure(item)
        }
    }

    private func duplicate(_ item: Tree.Item, in parent: Descriptor) throws(BackupError) {
        if item.kind == S_IFLNK {
            guard let target = item.target() else { return }
            guard symlinkat(target, parent.number, item.name) == 0 else { throw failure(item) }
            return
        }
        guard let source = try item.open() else { return }
        let number = openat(parent.number, item.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw failure(item) }
        let file = Descriptor(number, name: item.path)
        let buffer = Buffer()
        while true {
            let count = try source.read(buffer.bytes)
            guard count > 0 else { break }
            try file.write(UnsafeRawBufferPointer(rebasing: buffer.bytes.prefix(count)))
        }
        _ = fchown(file.number, item.status.st_uid, item.status.st_gid)
        _ = fchmod(file.number, item.permissions)
    }

    /// The folder that something at a path lies in; nil when there is none, but a link or nothing at all.
    func folder(of path: String) throws(BackupError) -> Descriptor? {
        guard let slash = path.lastIndex(of: "/") else { return root }
        let above = path[..<slash]
        if let last, last.path == above { return last.folder }
        var folder = root
        for name in above.split(separator: "/") {
            guard let next = try Self.open(String(name), in: folder) else { return nil }
            folder = next
        }
        last = (above, folder)
        return folder
    }

    private static func open(_ name: String, in folder: Descriptor) throws(BackupError) -> Descriptor? {
        let number = openat(folder.number, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard number >= 0 else {
            if [ENOENT, ENOTDIR, ELOOP].contains(errno) { return nil }
            throw .file(FileError(.read, name, errno: errno))
        }
        return Descriptor(number, name: name)
    }

    private func failure(_ item: Tree.Item) -> BackupError { .file(FileError(.write, item.path, errno: errno)) }
}
