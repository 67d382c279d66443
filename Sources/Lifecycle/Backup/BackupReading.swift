import DurableFiles
import Glibc

/// `snikket backup verify`: reads all of a backup, and opens each database in it.
public struct BackupVerifier: Sendable {
    public var file: String
    public var opening: Opening
    /// Where databases are unpacked to, to be opened: a folder of this name below is made and removed.
    public var scratch: String

    public init(file: String, opening: Opening, scratch: String = "/var/tmp") {
        (self.file, self.opening, self.scratch) = (file, opening, scratch)
    }

    /// What is in it.
    ///
    /// - Parameter progress: gets the bytes that are done, and those that there are.
    /// - Throws: ``BackupError`` unless every byte is as it was written.
    public func verify(progress: @escaping (Int, Int) -> Void) throws(BackupError) -> BackupContents {
        removeLeftovers()
        var template = Array("\(scratch)/\(Self.prefix)\(getpid())-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw .file(FileError(.write, scratch, errno: errno)) }
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { Tree.remove(folder) }
        let receiver = VerifyingReceiver(folder: folder, progress: progress)
        let about = try receive(receiver)
        var contents = BackupContents(about: about, databases: [])
        for (path, copy) in receiver.databases {
            contents.databases.append(try BackupContents.Database(soundFile: copy, path: path, backup: file))
        }
        return contents
    }

    /// The number of the process that made it follows.
    static let prefix = "snikket-verify-"

    /// What those that were killed left: databases that may have been encrypted until then.
    private func removeLeftovers() {
        for name in Folder.names(in: scratch, followingLinks: true) where name.hasPrefix(Self.prefix) {
            let maker = Int32(name.dropFirst(Self.prefix.count).prefix { $0 != "-" })
            var status = stat()
            guard let maker, maker > 0, kill(maker, 0) != 0, errno == ESRCH, lstat("\(scratch)/\(name)", &status) == 0,
                status.st_uid == geteuid(), status.st_mode & S_IFMT == S_IFDIR
            else { continue }
            Tree.remove("\(scratch)/\(name)")
        }
    }

    private func receive(_ receiver: VerifyingReceiver) throws(BackupError) -> BackupAbout {
        try OpenedFile.read(file, opening: opening, receiver)
        guard let about = receiver.about else { throw .notABackup(file) }
        return about
    }
}

/// What is in a backup that was read to its end.
public struct BackupContents: Sendable {
    public var about: BackupAbout
    public var databases: [Database]

    /// A database that is sound.
    public struct Database: Sendable {
        /// Its path in the backup.
        public var path: String
        /// Of the chat server's database: how many accounts.
        public var accounts: Int?
        /// Of the chat server's database: how many archived messages.
        public var messages: Int?
    }
}

extension BackupContents.Database {
    /// - Throws: ``BackupError/damaged(_:_:)`` when it is not sound.
    init(soundFile copy: String, path: String, backup: String) throws(BackupError) {
        if let problem = try Database.problem(of: copy) { throw .damaged(backup, .database(path, problem)) }
        let contents = try Database.contents(of: copy)
        self.init(path: path, accounts: contents?.accounts, messages: contents?.messages)
    }
}

extension OpenedFile {
    /// Reads all of a backup.
    ///
    /// - Throws: the most telling reason why it is not what was written.
    static func read(_ file: String, opening: Opening, _ receiver: any ArchiveReader.Receiver) throws(BackupError) {
        let opened = try OpenedFile(file, opening: opening)
        do throws(BackupError) {
            try ArchiveReader(opened.output, name: file).read(receiver)
        } catch {
            try opened.finish(error)
        }
        try opened.finish()
    }
}

/// Keeps the databases only.
private final class VerifyingReceiver: ArchiveReader.Receiver {
    private let folder: String
    private let report: (Int, Int) -> Void
    var about: BackupAbout?
    /// Where each lies in the backup, and its copy.
    var databases: [(path: String, copy: String)] = []

    init(folder: String, progress: @escaping (Int, Int) -> Void) {
        (self.folder, report) = (folder, progress)
    }

    func begin(_ about: BackupAbout) { self.about = about }

    func open(_ entry: ArchiveEntry, beginning: [UInt8]) throws(BackupError) -> Descriptor? {
        guard Database.isOne(beginning: beginning) else { return nil }
        let copy = "\(folder)/\(databases.count)"
        databases.append((entry.path, copy))
        return try .open(copy, O_RDWR | O_CREAT | O_EXCL)
    }

    func place(_ entry: ArchiveEntry, _ file: Descriptor?) {}

    func progress(_ bytes: Int) throws(BackupError) {
        try Interruption.check()
        report(bytes, about?.bytes ?? 0)
    }
}
