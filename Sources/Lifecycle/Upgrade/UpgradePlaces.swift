import DurableFiles

/// Where things of an upgrade lie.
public struct UpgradePlaces: Sendable {
    /// Root's only, and no part of the state: it has to outlive what is done to that.
    public let folder: String
    /// The state directory.
    public let state: String
    /// The settings.
    public let settings: String
    /// The program of the version that is installed.
    public internal(set) var program = "/usr/bin/snikket"
    /// The unit of `snikket up`.
    public internal(set) var service = "snikket.service"
    /// The unit that does the steps: a lost connection or a kill of whoever asked does no harm.
    public let unit = "snikket-upgrade.service"

    /// How long to wait for somebody else who looks, prepares, begins, or does the steps.
    var patience = Duration.seconds(10)

    public init(folder: String = "/var/lib/snikket-upgrade", state: String = "/var/lib/snikket", settings: String = "/etc/snikket/snikket.conf") {
        (self.folder, self.state, self.settings) = (folder, state, settings)
    }

    /// How far the last upgrade has come.
    public var record: String { folder + "/record.json" }
    /// The last upgrade that stayed: the way back, whatever is tried and given up after it.
    public var done: String { folder + "/done.json" }
    /// Held by whoever looks, prepares, begins, or does the steps.
    var lock: String { folder + "/lock" }
    /// Why no upgrade could come by itself, in words; there only while that is so.
    public var obstacle: String { folder + "/obstacle" }
    /// The newer release that has not come by itself; there only while there is one.
    public var waiting: String { folder + "/waiting.json" }
    /// The packages that were installed, and the one that is to be.
    public var packages: String { folder + "/packages" }
    /// What is fetched before it is verified.
    public var fetched: String { folder + "/fetched" }
    /// A copy of the program that began the upgrade: it does the steps, whatever the new version is like. There only while one is under way.
    public var runner: String { folder + "/snikket" }
    /// The new version unpacked, and copies of what it would migrate.
    var rehearsal: String { folder + "/rehearsal" }
    /// The backup that is made before.
    public var backups: String { folder + "/backups" }
}

extension UpgradePlaces {
    /// Keeps every other upgrade away for as long as it is held. Whoever has just ended one may be just about to let go.
    ///
    /// - Throws: ``UpgradeError/busy``
    func hold() async throws(UpgradeError) -> HeldLock {
        let end = ContinuousClock.now.advanced(by: patience)
        while true {
            if let lock = try holdNow() { return lock }
            guard ContinuousClock.now < end else { throw .busy }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    private func holdNow() throws(UpgradeError) -> HeldLock? {
        do {
            try Folder.make(folder, mode: 0o700)
            return try HeldLock(lock)
        } catch BackupError.file(let error) {
            throw .file(error)
        } catch let error as FileError {
            throw .file(error)
        } catch {
            throw .busy
        }
    }
}
