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

    /// What at the top of a state directory is a part of it, whoever puts something else there.
    static let parts: Set = ["prosody", "portal", "certificates", "acme", "secrets"]

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
        let staged = try StagedTree(tree)
        var (files, bytes) = (0, 0)
        // First the databases: whatever they speak of is there already, and still is when its turn comes.
        try Tree.walk(state) { (item) throws(BackupError) in
            guard isWanted(item.path) else { return false }
            try progress()
            if item.kind == S_IFDIR {
                try staged.makeFolder(like: item)
                return true
            }
            guard item.kind == S_IFREG, let file = try item.open(), Database.isOne(file) else { return false }
            try copyDatabase(item, number: files, into: staged)
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
            if item.kind == S_IFREG || item.kind == S_IFLNK { try staged.link(item) }
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

    private func copyDatabase(_ item: Tree.Item, number: Int, into staged: StagedTree) throws(BackupError) {
        let place = "\(folder)/databases/\(number)"
        let owner = owners.account(ofFolder: item.path)
        try Tree.makeFolder(place)
        if let owner, geteuid() == 0, lchown(place, owner.user, owner.group) != 0 { throw .file(FileError(.write, place, errno: errno)) }
        try DiskReserve(writingTo: place, state: state).check(before: Int(item.status.st_size))
        try Database.copy("\(state)/\(item.path)", into: place, as: owner)
        // From here on names in it mean what they meant: it was the server's, and a server may have been broken into.
        guard geteuid() != 0 || lchown(place, 0, 0) == 0 && chmod(place, 0o700) == 0 else { throw .file(FileError(.write, place, errno: errno)) }
        let file = try Descriptor.open("\(place)/copy", O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        guard let copied = file.status, copied.st_mode & S_IFMT == S_IFREG, copied.st_nlink == 1, fchmod(file.number, item.permissions) == 0 else {
            throw .unsuitable("\(state)/\(item.path)")
        }
        try staged.move("\(place)/copy", to: item)
        Tree.remove(place)
    }
}
