import DurableFiles
import Glibc

/// `snikket backup create`: the state and the settings in one file, while everything runs.
public struct BackupMaker: Sendable {
    /// The state directory.
    public var state: String
    /// The settings' files, absolute; all in one folder.
    public var settings: [String]
    public var owners: StateOwners
    /// The version of this program.
    public var version: String
    public var domain: String
    /// Prosody's version, when it is known.
    public var prosody: String?
    /// Where backups lie. It is made when it is not there.
    public var folder: String
    /// The file's name.
    public var name: String
    public var encryption: Encryption
    /// Seconds since 1970.
    public var now: Int

    /// What has been made.
    public struct Result: Sendable {
        /// Its path.
        public var file: String
        /// Its size, in bytes.
        public var size: Int
        public var about: BackupAbout
    }

    public init(
        state: String, settings: [String], owners: StateOwners, version: String, domain: String, prosody: String?, folder: String, name: String,
        encryption: Encryption, now: Int
    ) {
        (self.state, self.settings, self.owners, self.version, self.domain) = (state, settings, owners, version, domain)
        (self.prosody, self.folder, self.name, self.encryption, self.now) = (prosody, folder, name, encryption, now)
    }

    /// Makes it.
    ///
    /// - Parameter progress: gets the bytes that are done, and those that there are.
    public func make(progress: @escaping (Int, Int) -> Void) throws(BackupError) -> Result {
        guard Tree.exists(state) else { throw .file(FileError(.read, state, errno: ENOENT)) }
        guard let lock = try HeldLock("\(state)/backup.lock") else { throw .busy(state) }
        defer { withExtendedLifetime(lock) {} }
        do throws(FileError) { try Folder.make(folder, mode: 0o700, followingLinks: true) } catch { throw .file(error) }
        removeLeftovers()

        try DiskReserve(writingTo: folder, state: state).check()
        let snapshot = Snapshot(state: state, owners: owners, leavingOut: Self.paths(of: folder))
        defer { snapshot.remove() }
        let (files, bytes) = try snapshot.take { () throws(BackupError) in try Interruption.check() }
        var about = BackupAbout(
            version: version, domain: domain, created: now, debian: BackupFolder.debianVersion(), prosody: prosody, files: files, bytes: bytes)
        for path in settings {
            var status = stat()
            guard stat(path, &status) == 0 else { throw .file(FileError(.read, path, errno: errno)) }
            about.files += 1
            about.bytes += Int(status.st_size)
        }
        return try pack(snapshot, about, progress)
    }

    private func pack(_ snapshot: Snapshot, _ about: BackupAbout, _ progress: @escaping (Int, Int) -> Void) throws(BackupError) -> Result {
        let packed = try PackedFile(in: folder, encryption: encryption, leaving: DiskReserve(writingTo: folder, state: state))
        do throws(BackupError) {
            let list = try Descriptor.open("\(snapshot.tree)/../list", O_RDWR | O_CREAT | O_EXCL)
            let writer = try ArchiveWriter(to: packed, list: list) { (done) throws(BackupError) in
                try Interruption.check()
                progress(done, about.bytes)
            }
            try writer.add(about.json, as: ArchiveWriter.aboutName, modified: now)
            for path in settings {
                let file = try Descriptor.open(path, O_RDONLY | O_NONBLOCK)
                try add(file, as: "settings/\(File.name(of: path))", owner: ArchiveWriter.root, to: writer)
            }
            try Tree.walk(snapshot.tree) { (item) throws(BackupError) in
                try add(item, to: writer)
                return true
            }
            try writer.finish(modified: now)
        } catch {
            throw packed.reason(for: error)
        }
        let size = try packed.finish(as: name)
        return Result(file: "\(folder)/\(name)", size: size, about: about)
    }

    private func add(_ item: Tree.Item, to writer: ArchiveWriter) throws(BackupError) {
        let owner = owners.name(of: item.status.st_uid, path: item.path)
        switch item.kind {
        case S_IFREG:
            guard let file = try item.open() else { throw .changing("\(state)/\(item.path)") }
            try add(file, as: "state/\(item.path)", owner: owner, to: writer)
        case S_IFDIR:
            try writer.add(Self.entry("state/\(item.path)", .folder, item.status, owner))
        default:
            // What leads out of the state is somebody's own arrangement on this machine.
            guard let target = item.target(), ArchiveEntry.isSafe(path: target), target.utf8.count <= 100 else {
                throw .unsuitable("\(state)/\(item.path)")
            }
            try writer.add(Self.entry("state/\(item.path)", .link(target), item.status, owner))
        }
    }

    private func add(_ file: Descriptor, as path: String, owner: String, to writer: ArchiveWriter) throws(BackupError) {
        guard let status = file.status, status.st_mode & S_IFMT == S_IFREG else { throw .unsuitable(file.name) }
        var entry = Self.entry(path, .file, status, owner)
        entry.size = Int(status.st_size)
        try writer.add(entry, from: file)
    }

    private static func entry(_ path: String, _ kind: ArchiveEntry.Kind, _ status: stat, _ owner: String) -> ArchiveEntry {
        let mode: UInt32 = if case .link = kind { 0o777 } else { UInt32(status.st_mode) & 0o777 }
        return ArchiveEntry(path: path, kind: kind, size: 0, mode: mode, owner: owner, modified: max(0, status.st_mtim.tv_sec))
    }

    /// What makers that were killed left where backups lie.
    private func removeLeftovers() {
        for name in Folder.names(in: folder, followingLinks: true) where name.hasPrefix(PackedFile.temporaryPrefix) {
            guard let maker = Int32(name.dropFirst(PackedFile.temporaryPrefix.count)), maker > 0 else { continue }
            // We have begun none yet: with our number it is of one that had it before, as each has in a container.
            guard maker == getpid() || kill(maker, 0) != 0 && errno == ESRCH else { continue }
            unlink("\(folder)/\(name)")
        }
    }

    /// A folder by the name it was given, and by the one that it really has.
    private static func paths(of folder: String) -> Set<String> {
        guard let real = realpath(folder, nil) else { return [folder] }
        defer { free(real) }
        return [folder, String(cString: real)]
    }
}
