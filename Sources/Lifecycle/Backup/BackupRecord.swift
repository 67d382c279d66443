import DurableFiles
import FoundationEssentials

/// What became of the backups that are made by themselves. It lies in the state directory, for `snikket up`, which tells people and may not look into
/// every folder; and it is of this machine: no part of a backup.
public struct BackupRecord: Codable, Sendable, Equatable {
    /// When the last one was begun that is whole and where it belongs, in seconds since 1970; nil: there is none yet.
    public var lastGood: Int?
    /// What was wrong with the last attempt, in words; nil when nothing was.
    public var problem: String?
    /// A backup that was made and is not handed on yet: it is being, or could not be.
    public var waiting: String?

    static let fileName = "backup-record.json"

    public init() {}

    /// The record in a state directory; an empty one when there is none, or none that can be read.
    public init(state: String) {
        let bytes = (try? File.readIfThere("\(state)/\(Self.fileName)", limit: 1 << 16)) ?? nil
        self = bytes.flatMap { try? JSONDecoder().decode(Self.self, from: Data($0)) } ?? Self()
    }

    public func write(state: String) throws(BackupError) {
        let path = "\(state)/\(Self.fileName)"
        guard let bytes = try? JSONEncoder().encode(self) else { throw .file(.malformed(path)) }
        do throws(FileError) { try File.write(Array(bytes), to: path, mode: 0o600) } catch { throw .file(error) }
    }

    /// - Parameter moment: when it was begun.
    public mutating func succeeded(_ moment: Int) {
        (lastGood, problem, waiting) = (moment, nil, nil)
    }

    /// - Parameter waiting: the backup that was made all the same, if one was.
    public mutating func failed(_ words: String, waiting: String?) {
        (problem, self.waiting) = (words, waiting)
    }
}
