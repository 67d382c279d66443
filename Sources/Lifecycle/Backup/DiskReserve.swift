import DurableFiles
import Glibc

/// What stays free on the disk that the chat server writes to: a backup is no reason for it to lose messages.
struct DiskReserve: Sendable {
    /// A folder on that disk; nil: nothing is kept free.
    private let folder: String?

    static let none = DiskReserve(folder: nil)
    private static let least = 256 << 20

    private init(folder: String?) { self.folder = folder }

    /// For what is written to a folder: another disk may be filled.
    init(writingTo folder: String, state: String) {
        var (here, there) = (stat(), stat())
        let isSame = stat(folder, &here) == 0 && stat(state, &there) == 0 && here.st_dev == there.st_dev
        self.folder = isSame ? folder : nil
    }

    /// - Parameter more: bytes that are about to be written.
    /// - Throws: ``BackupError/noRoom(folder:needed:free:)``
    func check(before more: Int = 0) throws(BackupError) {
        guard let folder else { return }
        var facts = statvfs()
        // Where nobody says how much is free, writing will tell.
        guard statvfs(folder, &facts) == 0 else { return }
        let size = Int(facts.f_frsize)
        let (free, needed) = (Int(facts.f_bavail) * size, Self.size(ofDisk: Int(facts.f_blocks) * size) + more)
        guard free >= needed else { throw .noRoom(folder: folder, needed: needed, free: free) }
    }

    /// In bytes: a fiftieth, and at least 256 MiB; of a disk that has hardly more than that, a quarter.
    static func size(ofDisk bytes: Int) -> Int { min(max(least, bytes / 50), bytes / 4) }
}
