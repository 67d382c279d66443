import FoundationEssentials

/// What a backup says of itself: its first file, `backup.json`. These keys stay.
public struct BackupAbout: Codable, Sendable, Equatable {
    /// The format that this program writes, and the newest that it reads.
    static let format = 1

    /// The version of the format.
    public var format: Int
    /// The version of the program that made it.
    public var version: String
    /// The domain of the chat service.
    public var domain: String
    /// Seconds since 1970.
    public var created: Int
    /// Debian's release, as in /etc/debian_version; absent when it is another system.
    public var debian: String?
    /// Prosody's version; absent when it cannot be told.
    public var prosody: String?
    /// How many files are in it.
    public var files: Int
    /// Their sizes together, in bytes, before compression.
    public var bytes: Int

    var json: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array((try? encoder.encode(self)) ?? Data())
    }

    init(format: Int = Self.format, version: String, domain: String, created: Int, debian: String?, prosody: String?, files: Int, bytes: Int) {
        (self.format, self.version, self.domain, self.created) = (format, version, domain, created)
        (self.debian, self.prosody, self.files, self.bytes) = (debian, prosody, files, bytes)
    }

    init(json: [UInt8], file: String) throws(BackupError) {
        struct Format: Decodable { var format: Int }
        // A newer format may have other keys.
        guard let format = try? JSONDecoder().decode(Format.self, from: Data(json)).format else { throw .notABackup(file) }
        guard format <= Self.format else { throw .tooNew(file, format: format) }
        guard let about = try? JSONDecoder().decode(Self.self, from: Data(json)), format > 0 else { throw .notABackup(file) }
        self = about
    }
}
