import DurableFiles
import Glibc
import Supervision

/// What comes before an upgrade: what is installed, what is to be had, and the way back. Nothing is touched.
public struct UpgradePreparation: Sendable {
    let places: UpgradePlaces
    let package: InstalledPackage

    public init(_ places: UpgradePlaces) {
        self.init(places, package: InstalledPackage())
    }

    init(_ places: UpgradePlaces, package: InstalledPackage) {
        (self.places, self.package) = (places, package)
    }

    /// What a look at the releases has shown.
    public struct Look: Sendable {
        /// The version that is installed.
        public var installed: String
        public var release: Release
        /// Whether the release is newer.
        public var isNew: Bool
        /// Whether what is installed has security problems that the release mends.
        public var isSecurity: Bool
        /// The last upgrade, if it was one to this release and did not stay.
        public var refusal: UpgradeRecord?
    }

    /// Looks what there is.
    ///
    /// - Throws: ``UpgradeError``, also when the release is older than what is installed: an old one has a good signature too, and mistakes that are known.
    public func look(_ fetch: ReleaseFetch) async throws(UpgradeError) -> Look {
        let installed = try await package.version()
        let lock = try await hold()
        defer { withExtendedLifetime(lock) {} }
        do throws(FileError) {
            try Folder.make(places.packages, mode: 0o700)
            try Folder.make(places.backups, mode: 0o700)
            Tree.remove(places.fetched)
            try Folder.make(places.fetched, mode: 0o700)
        } catch {
            throw .file(error)
        }
        defer { Tree.remove(places.fetched) }
        let release = try await fetch.release(into: places.fetched)
        guard try await !package.isVersion(release.version, before: installed) else {
            throw .older(installed: installed, offered: release.version)
        }
        var isUnsafe = false
        if let first = release.unsafeBefore { isUnsafe = try await package.isVersion(installed, before: first) }
        let isNew = release.version != installed
        let refusal = try record().flatMap { $0.isRefusal(of: release.version) ? $0 : nil }
        return Look(installed: installed, release: release, isNew: isNew, isSecurity: isNew && isUnsafe, refusal: refusal)
    }

    /// The last upgrade, or the one under way.
    public func record() throws(UpgradeError) -> UpgradeRecord? {
        do throws(FileError) { return try UpgradeRecord.read(from: places.record) } catch { throw .file(error) }
    }

    /// Gets both packages, and says what is to be done.
    public func prepare(_ look: Look, _ fetch: ReleaseFetch, isUnattended: Bool, makesBackup: Bool, now: Int) async throws(UpgradeError)
        -> UpgradeRecord
    {
        let lock = try await hold()
        defer { withExtendedLifetime(lock) {} }
        let architecture = try await package.architecture()
        guard let new = look.release.package(of: look.release.version, for: architecture) else {
            let offered = look.release.packages.filter { $0.version == look.release.version }.map(\.architecture)
            throw .noPackage(architecture: architecture, offered: offered)
        }
        let old = try await kept(look.installed, look.release, fetch, architecture)
        let file = try await fetch.package(new, into: places.packages)
        guard try await package.version(in: file) == look.release.version else { throw .altered(file: new.file) }
        let service = try await ServiceUnit(places).look()
        return UpgradeRecord(
            old: .init(version: look.installed, package: old), new: .init(version: look.release.version, package: file), isRollback: false,
            isUnattended: isUnattended, makesBackup: makesBackup, stateVersion: try stateVersion(), wasRunning: service.isRunning,
            wasHealthy: service.isHealthy, begun: now)
    }

    /// The way back from the last upgrade.
    public func prepareRollback(makesBackup: Bool, now: Int) async throws(UpgradeError) -> UpgradeRecord {
        var record = try await upgradeToTakeBack()
        let service = try await ServiceUnit(places).look()
        record.isRollback = true
        (record.isUnattended, record.makesBackup, record.begun) = (false, makesBackup, now)
        (record.wasRunning, record.wasHealthy) = (service.isRunning, service.isHealthy)
        (record.step, record.reason, record.isTransient) = (.waiting, nil, false)
        return record
    }

    /// The last upgrade that stayed, if all that is needed to take it back is there.
    func upgradeToTakeBack() async throws(UpgradeError) -> UpgradeRecord {
        let done: UpgradeRecord?
        do throws(FileError) { done = try UpgradeRecord.read(from: places.done) } catch { throw .file(error) }
        // A version that kept no such file has done it.
        guard let last = if let done { done } else { try record() }, last.step == .done, !last.isRollback else { throw .nothingBefore }
        let installed = try await package.version()
        guard installed == last.new.version else { throw .movedOn(installed: installed, recorded: last.new.version) }
        guard try await package.version(in: last.old.package) == last.old.version, try await package.isWhole(last.old.package) else {
            throw .noWayBack(version: last.old.version)
        }
        // What was migrated has to be there as it was.
        if try stateVersion() != last.stateVersion, (try? StateUndo(of: places.state).leadsTo()) != last.stateVersion {
            throw .noWayBack(version: last.old.version)
        }
        return last
    }

    /// Writes down what is to be done, and has it done by the unit.
    public func begin(_ record: UpgradeRecord) async throws(UpgradeError) {
        try await writeDown(record)
        try await resume()
    }

    /// Nobody else's may be under way, and what was prepared has to fit still: a person may have taken their time to agree.
    func writeDown(_ record: UpgradeRecord) async throws(UpgradeError) {
        let lock = try await hold()
        defer { withExtendedLifetime(lock) {} }
        let (installed, expected) = (try await package.version(), record.isRollback ? record.new.version : record.old.version)
        guard installed == expected else { throw .changedMeanwhile(installed: installed, expected: expected) }
        for file in [record.old.package, record.new.package] where !record.isRollback || file == record.old.package {
            guard access(file, R_OK) == 0 else { throw .file(FileError(.read, file, errno: errno)) }
        }
        do throws(FileError) {
            let program = try File.read(places.program, limit: 512 << 20)
            try File.write(program, to: places.runner, mode: 0o700)
            try record.write(to: places.record)
        } catch {
            throw .file(error)
        }
    }

    /// - Throws: ``UpgradeError/underWay``, ``UpgradeError/busy``
    private func hold() async throws(UpgradeError) -> HeldLock {
        if let record = try record(), !record.step.isEnd { throw .underWay }
        let lock = try await places.hold()
        if let record = try record(), !record.step.isEnd { throw .underWay }
        return lock
    }

    /// Has the unit go on with what is written.
    public func resume() async throws(UpgradeError) {
        _ = try await Tool("/usr/bin/systemctl", "reset-failed", places.unit).run()
        try await Tool("/usr/bin/systemctl", "start", "--no-block", places.unit).succeed()
    }

    /// The package of what is installed: kept when it was installed, or still beside the release.
    private func kept(_ installed: String, _ release: Release, _ fetch: ReleaseFetch, _ architecture: String) async throws(UpgradeError) -> String {
        for name in Folder.names(in: places.packages) where name.hasSuffix(".deb") {
            let path = "\(places.packages)/\(name)"
            if try await package.version(in: path) == installed, try await package.isWhole(path) { return path }
        }
        guard let earlier = release.package(of: installed, for: architecture) else { throw .noWayBack(version: installed) }
        return try await fetch.package(earlier, into: places.packages)
    }

    private func stateVersion() throws(UpgradeError) -> Int {
        do throws(StateError) { return try StateVersion(of: places.state).found() ?? 0 } catch {
            if case .file(let error) = error { throw .file(error) }
            throw .file(.malformed(places.state + "/version"))
        }
    }
}
