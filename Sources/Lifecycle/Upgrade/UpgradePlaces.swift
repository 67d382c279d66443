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

    public init(folder: String = "/var/lib/snikket-upgrade", state: String = "/var/lib/snikket", settings: String = "/etc/snikket/snikket.conf") {
        (self.folder, self.state, self.settings) = (folder, state, settings)
    }

    /// How far the last upgrade has come.
    public var record: String { folder + "/record.json" }
    /// The last upgrade that stayed: the way back, whatever is tried and given up after it.
    public var done: String { folder + "/done.json" }
    /// Why no upgrade could come by itself, in words; there only while that is so.
    public var obstacle: String { folder + "/obstacle" }
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
