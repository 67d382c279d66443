import DurableFiles
import Glibc

/// Unpacks a backup into a folder of ours that nobody else can enter, with the owners of this machine.
final class Unpacker: ArchiveReader.Receiver {
    private let folder: String
    private let owners: StateOwners
    private let mainSettings: String
    private let report: (Int, Int) -> Void
    private(set) var about: BackupAbout?
    /// The databases' paths in the backup.
    private(set) var databases: [String] = []
    /// What lies at the top of the state and of the settings.
    private(set) var names: (state: [String], settings: [String]) = ([], [])
    /// Made last: on the way there is then no link that leads anywhere.
    private var links: [ArchiveEntry] = []
    /// Their modes and times are set last: one may forbid to write into it.
    private var folders: [ArchiveEntry] = []
    /// Whether the file that is coming is one.
    private var isDatabase = false

    /// - Parameter mainSettings: the name that the settings get here; those that they name keep theirs.
    init(into folder: String, owners: StateOwners, mainSettings: String, progress: @escaping (Int, Int) -> Void) {
        (self.folder, self.owners, self.mainSettings, report) = (folder, owners, mainSettings, progress)
    }

    func begin(_ about: BackupAbout) throws(BackupError) {
        self.about = about
        var facts = statvfs()
        guard statvfs(folder, &facts) == 0 else { throw .file(FileError(.read, folder, errno: errno)) }
        let free = Int(facts.f_bavail) * Int(facts.f_frsize)
        guard about.bytes < free else { throw .noRoom(folder: folder, needed: about.bytes, free: free) }
        try Tree.makeFolder("\(folder)/state")
        try Tree.makeFolder("\(folder)/settings")
    }

    func open(_ entry: ArchiveEntry, beginning: [UInt8]) throws(BackupError) -> Descriptor? {
        isDatabase = Database.isOne(beginning: beginning)
        return try .open("\(folder)/\(try checked(entry))", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
    }

    func place(_ entry: ArchiveEntry, _ file: Descriptor?) throws(BackupError) {
        let path = "\(folder)/\(entry.path)"
        switch entry.kind {
        case .link:
            _ = try checked(entry)
            links.append(entry)
        case .folder:
            guard mkdir("\(folder)/\(try checked(entry))", 0o700) == 0 else { throw .file(FileError(.write, path, errno: errno)) }
            folders.append(entry)
        case .file:
            guard let file else { return }
            if isDatabase { databases.append(entry.path) }
            if let owner = owner(of: entry), fchown(file.number, owner.user, owner.group) != 0 { throw .file(FileError(.write, path, errno: errno)) }
            let times = [timespec(tv_sec: entry.modified, tv_nsec: 0), timespec(tv_sec: entry.modified, tv_nsec: 0)]
            guard fchmod(file.number, entry.mode) == 0, futimens(file.number, times) == 0 else { throw .file(FileError(.write, path, errno: errno)) }
        }
    }

    func progress(_ bytes: Int) throws(BackupError) {
        try Interruption.check()
        report(bytes, about?.bytes ?? 0)
    }

    /// Makes the links, gives the folders their modes, and puts all of it on the disk.
    func finish() throws(BackupError) {
        for link in links {
            guard case .link(let target) = link.kind else { continue }
            let path = "\(folder)/\(link.path)"
            guard symlink(target, path) == 0 else { throw .file(FileError(.write, path, errno: errno)) }
            if let owner = owner(of: link), lchown(path, owner.user, owner.group) != 0 { throw .file(FileError(.write, path, errno: errno)) }
        }
        for entry in folders.reversed() {
            let path = "\(folder)/\(entry.path)"
            if let owner = owner(of: entry), lchown(path, owner.user, owner.group) != 0 { throw .file(FileError(.write, path, errno: errno)) }
            guard chmod(path, entry.mode) == 0 else { throw .file(FileError(.write, path, errno: errno)) }
        }
        // syncfs(2): one flush for a hundred thousand files.
        try ChildProcess("/bin/sync", ["--file-system", folder]).succeed()
    }

    private func owner(of entry: ArchiveEntry) -> Account? { geteuid() == 0 ? owners.account(named: entry.owner) : nil }

    /// A path that is at its place: part of the state as we know it, or a settings file.
    private func checked(_ entry: ArchiveEntry) throws(BackupError) -> String {
        let parts = entry.path.split(separator: "/")
        if parts.count >= 2, parts[0] == "state", Snapshot.isState(String(parts[1])) {
            if parts.count == 2 { names.state.append(String(parts[1])) }
            return entry.path
        }
        guard parts.count == 2, parts[0] == "settings", entry.kind == .file, !parts[1].hasPrefix(".") else {
            throw .damaged(entry.path, .malformed("something that belongs nowhere"))
        }
        // They are the first of the settings' files in a backup.
        let name = names.settings.isEmpty ? mainSettings : String(parts[1])
        guard !names.settings.contains(name) else { throw .settingsName(name) }
        names.settings.append(name)
        return "settings/\(name)"
    }
}
