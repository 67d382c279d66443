import DurableFiles
import Glibc

/// `snikket restore`: puts a backup in the place of the present state and settings, or leaves them as they are.
public final class Restorer {
    private let state: String
    private let configuration: String
    private let file: String
    private let opening: Opening
    private let owners: StateOwners
    /// Where backups lie.
    private let backups: String
    private let place: RestorePlace
    private var unpacked: Unpacker?
    private var aside = ""
    /// Whether there was no state directory before.
    private var hasMadeState = false
    private var stateLock: HeldLock?
    private var runLock: HeldLock?
    /// Of the containers that there have been.
    private var containers: [HeldLock] = []

    /// What will be done.
    public struct Preview: Sendable {
        public var contents: BackupContents
        /// What of the present state goes aside; empty when there is none.
        public var leaving: [String]
        /// Where it goes.
        public var aside: String
        /// The settings' files that are written, absolute; those that differ from the present ones.
        public var changedSettings: [String]
    }

    /// - Parameters:
    ///   - configuration: the settings' file; what they name lies beside it.
    ///   - backups: where backups lie. They stay there, also below the state directory.
    public init(file: String, opening: Opening, state: String, configuration: String, owners: StateOwners, backups: String) {
        (self.file, self.opening, self.state, self.configuration, self.owners) = (file, opening, state, configuration, owners)
        self.backups = backups
        place = RestorePlace(state: state)
    }

    /// Whether a restore of this state was interrupted while things were being put in place.
    public static func isUnfinished(state: String) -> Bool { Tree.exists(RestorePlace(state: state).planFile) }

    /// Looks whether a file is a backup by its beginning.
    public static func look(at file: String) throws(BackupError) {
        guard try OpenedFile.open(file).1 != .other else { throw .notABackup(file) }
    }

    /// Whether `snikket up` uses the state.
    public func isRunning() throws(BackupError) -> Bool {
        guard Tree.exists(state), runLock == nil else { return false }
        if try runsInContainers() { return true }
        return try HeldLock("\(state)/lock") == nil
    }

    /// Containers hold locks of their own: that of the machine is not to be seen in them.
    private func runsInContainers() throws(BackupError) -> Bool {
        for lock in Self.containerLocks.map({ "\(state)/\($0)" }) where Tree.exists(lock) {
            if try HeldLock(lock) == nil { return true }
        }
        return false
    }

    /// What those containers hold while they run that write into the state, below it.
    public static let containerLocks = ["containers/prosody/work/lock", "containers/portal/work/lock", "containers/acme-tls/lock"]

    /// Finishes what an interrupted restore had begun to put in place.
    ///
    /// - Returns: nil when there was none; otherwise whether it was this very backup, which is in place now.
    public func finishInterrupted() throws(BackupError) -> Bool? {
        guard Tree.exists(state) else { return nil }
        try takeStateLock()
        guard let plan = try place.plan() else { return nil }
        try takeRunLock()
        try place.carryOut(plan)
        return plan.direction == .forward && plan.source == source
    }

    /// Reads all of the backup and unpacks it beside the state, which stays as it is.
    ///
    /// - Parameter progress: gets the bytes that are done, and those that there are.
    public func prepare(now: Int, progress: @escaping (Int, Int) -> Void) throws(BackupError) -> Preview {
        hasMadeState = !Tree.exists(state)
        do throws(FileError) { try Folder.make(state, mode: 0o711, followingLinks: true) } catch { throw .file(error) }
        try takeStateLock()
        place.clear()
        do throws(BackupError) {
            try Tree.makeFolder(place.folder)
            try Tree.makeFolder(place.new)
            let unpacker = Unpacker(into: place.new, owners: owners, mainSettings: File.name(of: configuration), progress: progress)
            try OpenedFile.read(file, opening: opening, unpacker)
            guard let about = unpacker.about else { throw .notABackup(file) }
            var contents = BackupContents(about: about, databases: [])
            for path in unpacker.databases {
                contents.databases.append(try .init(soundFile: "\(place.new)/\(path)", path: path, backup: file))
            }
            try unpacker.finish()
            unpacked = unpacker
            aside = freeName(now)
            return Preview(
                contents: contents, leaving: leaving(), aside: "\(state)/\(aside)", changedSettings: changedSettings(unpacker.names.settings))
        } catch {
            abandon()
            throw error
        }
    }

    /// Leaves everything as it was.
    public func abandon() {
        place.clear()
        guard hasMadeState else { return }
        unlink("\(state)/backup.lock")
        rmdir(state)
        stateLock = nil
    }

    /// Puts it in place.
    ///
    /// - Throws: ``BackupError/running(state:)``, ``BackupError/undone(_:)``: everything is as it was then.
    public func putInPlace() throws(BackupError) {
        guard let unpacked else { throw .interrupted }
        do throws(BackupError) { try takeRunLock() } catch {
            abandon()
            throw error
        }
        let staying = staying()
        let plan = RestorePlace.Plan(
            direction: .forward, source: source, aside: aside, leaving: leaving(), arriving: unpacked.names.state.filter { !staying.contains($0) },
            settingsFolder: settingsFolder,
            settings: unpacked.names.settings,
            settingsThatWere: unpacked.names.settings.filter { Tree.exists("\(settingsFolder)/\($0)") })
        do throws(BackupError) { try place.save(plan) } catch {
            abandon()
            throw error
        }
        try place.carryOut(plan)
    }

    /// Lets `snikket up` start again.
    public func letGo() { (containers, runLock, stateLock) = ([], nil, nil) }

    private func takeStateLock() throws(BackupError) {
        guard stateLock == nil else { return }
        guard let lock = try HeldLock("\(state)/backup.lock") else { throw .busy(state) }
        stateLock = lock
    }

    private func takeRunLock() throws(BackupError) {
        guard runLock == nil else { return }
        var containers: [HeldLock] = []
        // They are held to the end: none begins meanwhile. One that root made would not be the server's.
        for path in Self.containerLocks.map({ "\(state)/\($0)" }) where Tree.exists(path) {
            guard let lock = try HeldLock(path) else { throw .running(state: state) }
            containers.append(lock)
        }
        guard let lock = try HeldLock("\(state)/lock") else { throw .running(state: state) }
        (runLock, self.containers) = (lock, containers)
    }

    private func leaving() -> [String] {
        let staying = staying()
        return Folder.names(in: state, followingLinks: true).filter { name in
            // The way back of the last migration leads to what that one had found, and not to what is put here.
            (Snapshot.isState(name) || name == StateUndo.folderName) && !staying.contains(name)
        }.sorted()
    }

    /// What lies in the state directory only because somebody put backups there: neither they nor the one that is being put back go aside.
    private func staying() -> Set<String> {
        let names = [backups, file].compactMap { path in
            File.real(path).flatMap { path in File.real(state).flatMap { path.hasPrefix($0 + "/") ? path.dropFirst($0.utf8.count + 1) : nil } }
        }
        return Set(names.map { String($0.prefix { $0 != "/" }) }).filter { !Snapshot.parts.contains($0) }
    }

    /// A name that nothing has: what lies there already would be taken for what has gone there.
    private func freeName(_ now: Int) -> String {
        let name = RestorePlace.asidePrefix + BackupFolder.moment(now)
        return ([name] + (2...99).map { "\(name)-\($0)" }).first { !Tree.exists("\(state)/\($0)") } ?? name
    }

    private func changedSettings(_ names: [String]) -> [String] {
        names.filter { name in
            let there = try? File.readIfThere("\(settingsFolder)/\(name)", limit: 1 << 26)
            return (try? File.read("\(place.new)/settings/\(name)", limit: 1 << 26)) != there
        }.map { "\(settingsFolder)/\($0)" }.sorted()
    }

    private var settingsFolder: String { File.folder(of: configuration) }

    private var source: String {
        var status = stat()
        guard stat(file, &status) == 0 else { return file }
        return "\(File.name(of: file)) \(status.st_size) \(status.st_mtim.tv_sec)"
    }
}
