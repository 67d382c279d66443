import DurableFiles
import Glibc

/// The state as it is at one moment, in a folder beside it that costs no room but for the databases: hard links to the files, which nobody
/// changes in place, and copies of the databases.
///
///     backup-staging/           0711: a server finds its own folder below
///         tree/                 0700
///         databases/            0711; in it, for a moment, a folder for a database, its owner's
struct Snapshot {
    static let folderName = "backup-staging"
    let state: String
    let owners: StateOwners
    /// Paths that are not to be in it, absolute.
    let leavingOut: Set<String>

    private var folder: String { "\(state)/\(Self.folderName)" }
    var tree: String { "\(folder)/tree" }

    /// What at the top of a state directory is no part of the state: it follows from it, or belongs to this machine and moment.
    static func isState(_ name: String) -> Bool {
        let others: Set = [
            "lock", "backup.lock", BackupRecord.fileName, "logs", "run", "accepted", "backups", "containers", "program", "undo", "undo.new",
            "undo.gone",
            folderName, RestorePlace.folderName,
        ]
        return !others.contains(name)
            && !name.hasPrefix(RestorePlace.asidePrefix)
    }

    /// Takes it.
    ///
    /// - Returns: how many files there are, and their sizes together.
    func take(progress: () throws(BackupError) -> Void) throws(BackupError) -> (files: Int, bytes: Int) {
        remove()
        try Tree.makeFolder(folder, mode: 0o711)
        try Tree.makeFolder(tree)
        try Tree.makeFolder("\(folder)/databases", mode: 0o711)
        var (files, bytes) = (0, 0)
        // First the databases: whatever they speak of is there already, and still is when its turn comes.
        try Tree.walk(state) { (item) throws(BackupError) in
            guard isWanted(item.path) else { return false }
            try progress()
            if item.kind == S_IFDIR {
                try makeFolder(like: item)
                return true
            }
            guard item.kind == S_IFREG, let file = try item.open(), Database.isOne(file) else { return false }
            try copyDatabase(item, number: files)
            files += 1
            return false
        }
        files = 0
        try Tree.walk(state) { (item) throws(BackupError) in
            guard isWanted(item.path) else { return false }
            try progress()
            // What a database needs beside it while it is in use is in its copy.
            if let database = Database.beside(item.path), Tree.exists("\(tree)/\(database)") { return false }
            // A socket or a pipe is somebody's who runs.
            if item.kind == S_IFREG || item.kind == S_IFLNK { try place(item) }
            return true
        }
        try Tree.walk(tree) { (item) throws(BackupError) in
            if item.kind == S_IFREG { (files, bytes) = (files + 1, bytes + Int(item.status.st_size)) }
            return true
        }
        return (files, bytes)
    }

    func remove() { Tree.remove(folder) }

    private func isWanted(_ path: String) -> Bool {
        if !path.contains("/"), !Self.isState(path) { return false }
        // An upload that is still coming, and what a writer that was killed left (DurableFiles).
        if path.hasSuffix("~") || File.name(of: path).hasPrefix(".") && path.contains(".new-") { return false }
        return !leavingOut.contains("\(state)/\(path)")
    }

    private func makeFolder(like item: Tree.Item) throws(BackupError) {
        let copy = "\(tree)/\(item.path)"
        try Tree.makeFolder(copy, mode: item.permissions | 0o700)
        guard geteuid() != 0 || lchown(copy, item.status.st_uid, item.status.st_gid) == 0 else { throw .file(FileError(.write, copy, errno: errno)) }
    }

    private func copyDatabase(_ item: Tree.Item, number: Int) throws(BackupError) {
        let place = "\(folder)/databases/\(number)"
        let owner = owners.account(ofFolder: item.path)
        try Tree.makeFolder(place)
        if let owner, geteuid() == 0, lchown(place, owner.user, owner.group) != 0 { throw .file(FileError(.write, place, errno: errno)) }
        try Database.copy("\(state)/\(item.path)", into: place, as: owner)
        let file = try Descriptor.open("\(place)/copy", O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        guard let copied = file.status, copied.st_mode & S_IFMT == S_IFREG, fchmod(file.number, item.permissions) == 0 else {
            throw .unsuitable("\(state)/\(item.path)")
        }
        guard rename("\(place)/copy", "\(tree)/\(item.path)") == 0 else { throw .file(FileError(.write, "\(tree)/\(item.path)", errno: errno)) }
        Tree.remove(place)
    }

    /// A link to the same file; a copy where there can be none.
    private func place(_ item: Tree.Item) throws(BackupError) {
        let copy = "\(tree)/\(item.path)"
        guard linkat(item.folder, item.name, AT_FDCWD, copy, 0) != 0 else { return }
        switch errno {
        // A database is there already; something has gone meanwhile, or a folder of it has come.
        case EEXIST, ENOENT: return
        case EMLINK, EPERM, EXDEV, EACCES: try duplicate(item, copy)
        default: throw .file(FileError(.write, copy, errno: errno))
        }
    }

    private func duplicate(_ item: Tree.Item, _ copy: String) throws(BackupError) {
        if item.kind == S_IFLNK {
            guard let target = item.target() else { return }
            guard symlink(target, copy) == 0 else { throw .file(FileError(.write, copy, errno: errno)) }
            return
        }
        guard let source = try item.open() else { return }
        let file = try Descriptor.open(copy, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
        let buffer = Buffer()
        while true {
            let count = try source.read(buffer.bytes)
            guard count > 0 else { break }
            try file.write(UnsafeRawBufferPointer(rebasing: buffer.bytes.prefix(count)))
        }
        _ = fchown(file.number, item.status.st_uid, item.status.st_gid)
        _ = fchmod(file.number, item.permissions)
    }
}
