public import DurableFiles
import FoundationEssentials

/// A newer release that the daily look has seen, and has not installed: on the disk, for administrators hear of it from `snikket up`.
public struct WaitingRelease: Codable, Sendable, Equatable {
    public var version: String
    /// Whether it mends a security problem of what is installed.
    public var isSecurity: Bool
    /// Whether it would have come by itself, had everything served.
    public var isHeld: Bool

    public init(version: String, isSecurity: Bool, isHeld: Bool) {
        (self.version, self.isSecurity, self.isHeld) = (version, isSecurity, isHeld)
    }

    public init(_ look: UpgradePreparation.Look, isHeld: Bool) {
        self.init(version: look.release.version, isSecurity: look.isSecurity, isHeld: isHeld)
    }

    /// What the last look has seen; nil when nothing is waiting, also when the package was installed anew since, whoever did that.
    ///
    /// - Parameter installed: when that was, in seconds since 1970; nil when there is no package.
    public static func read(from path: String, installed: Int? = PackageManager.unpacked("snikket")) -> WaitingRelease? {
        guard let seen = File.lastChange(of: path), seen >= installed ?? 0, let bytes = (try? File.readIfThere(path)) ?? nil else { return nil }
        return try? JSONDecoder().decode(WaitingRelease.self, from: Data(bytes))
    }

    public func write(to path: String) throws(FileError) {
        guard let data = try? JSONEncoder().encode(self) else { throw .malformed(path) }
        try File.write(Array(data), to: path, mode: 0o600)
    }
}
