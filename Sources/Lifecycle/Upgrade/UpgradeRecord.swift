public import DurableFiles
import FoundationEssentials

/// What is being done, and how far it has come: on the disk before each step, so that whoever comes after a power cut knows.
///
/// There is one rule for interruptions: whatever is interrupted ends with the old version.
public struct UpgradeRecord: Codable, Sendable, Equatable {
    /// A version and its package.
    public struct Version: Codable, Sendable, Equatable {
        public var version: String
        /// The package's path.
        public var package: String

        public init(version: String, package: String) {
            (self.version, self.package) = (version, package)
        }
    }

    /// What is being done.
    public enum Step: String, Codable, Sendable {
        /// Nothing yet.
        case waiting
        /// A backup is made.
        case backingUp
        /// The new version tries itself with the settings and copies of what it would migrate.
        case rehearsing
        /// The package is being installed.
        case installing
        /// Does everything serve?
        case watching
        /// The old package and the old state are being put back.
        case goingBack
        /// The new version serves.
        case done
        /// The old version is back.
        case wentBack
        /// It was given up before anything was touched.
        case abandoned

        /// Whether nothing more is going to be done.
        public var isEnd: Bool { [.done, .wentBack, .abandoned].contains(self) }
    }

    /// The version to end with when anything goes wrong.
    public var old: Version
    public var new: Version
    /// Whether going back is what is wished.
    public var isRollback: Bool
    /// Whether nobody asked for it.
    public var isUnattended: Bool
    /// Whether a backup is made before.
    public var makesBackup: Bool
    /// The version of the state that the old version had.
    public var stateVersion: Int
    /// Whether the service ran, and whether everything served.
    public var wasRunning: Bool
    public var wasHealthy: Bool
    public var step: Step
    /// Why it did not end as wished, in words.
    public var reason: String?
    /// Whether it may end otherwise another time.
    public var isTransient = false
    /// The backup that was made before.
    public var backup: String?
    /// Seconds since 1970.
    public var begun: Int

    public init(
        old: Version, new: Version, isRollback: Bool, isUnattended: Bool, makesBackup: Bool, stateVersion: Int, wasRunning: Bool, wasHealthy: Bool,
        begun: Int
    ) {
        (self.old, self.new, self.isRollback, self.isUnattended, self.makesBackup) = (old, new, isRollback, isUnattended, makesBackup)
        (self.stateVersion, self.wasRunning, self.wasHealthy, self.begun) = (stateVersion, wasRunning, wasHealthy, begun)
        step = .waiting
    }

    /// What has been written; nil when there never was an upgrade.
    public static func read(from path: String) throws(FileError) -> UpgradeRecord? {
        guard let bytes = try File.readIfThere(path) else { return nil }
        guard let record = try? JSONDecoder().decode(UpgradeRecord.self, from: Data(bytes)) else { throw .malformed(path) }
        return record
    }

    public func write(to path: String) throws(FileError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else { throw .malformed(path) }
        try File.write(Array(data) + [0x0A], to: path, mode: 0o600)
    }

    /// Whether this version was tried and did not stay, so that it is not tried again by itself.
    public func isRefusal(of version: String) -> Bool {
        (step == .wentBack || step == .abandoned) && !isTransient && new.version == version
    }
}
