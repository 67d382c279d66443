import Glibc

/// How much room the file system of a folder has.
struct DiskSpace: Sendable, Equatable {
    /// Bytes that are left for others than root.
    var free: Int
    /// Bytes altogether.
    var total: Int
    /// How many more files and folders others than root can make.
    var freeFiles: Int
    /// How many there can be altogether; 0: as many as there is room for.
    var totalFiles: Int
    /// Whether nothing can be written there, as after an error of the disk.
    var isReadOnly: Bool

    init(free: Int, total: Int, freeFiles: Int = 0, totalFiles: Int = 0, isReadOnly: Bool = false) {
        self.free = free
        self.total = total
        self.freeFiles = freeFiles
        self.totalFiles = totalFiles
        self.isReadOnly = isReadOnly
    }

    /// nil when it cannot be told.
    init?(of folder: String) {
        var facts = statvfs()
        guard statvfs(folder, &facts) == 0 else { return nil }
        // A file system over a network may say anything.
        func bytes(_ blocks: UInt) -> Int {
            let (product, isTooMuch) = UInt(facts.f_frsize).multipliedReportingOverflow(by: blocks)
            return isTooMuch ? .max : Int(clamping: product)
        }
        self.init(
            free: bytes(facts.f_bavail), total: bytes(facts.f_blocks),
            freeFiles: Int(clamping: facts.f_favail), totalFiles: Int(clamping: facts.f_files),
            isReadOnly: facts.f_flag & UInt(ST_RDONLY) != 0)
    }

    /// 0: enough; 1: less than half a gigabyte, or on a small disk less than a twentieth; 2: less than 100 MB or a hundredth. Of files, less than a
    /// twentieth and a hundredth.
    var alarm: Int { max(alarmOfBytes, alarmOfFiles) }

    private var alarmOfBytes: Int {
        switch free {
        case ..<min(100 << 20, total / 100): 2
        case ..<min(500 << 20, total / 20): 1
        default: 0
        }
    }

    private var alarmOfFiles: Int {
        switch freeFiles {
        case ..<(totalFiles / 100): 2
        case ..<(totalFiles / 20): 1
        default: 0
        }
    }

    /// Whether it is so well above the alarm that it will not be back at once.
    var isAmple: Bool { free >= 2 * min(500 << 20, total / 20) && freeFiles >= 2 * (totalFiles / 20) }

    /// What is left of that which is scarcer.
    var left: String {
        alarmOfFiles > alarmOfBytes
            ? "it has room, but only \(freeFiles) more files can be made, of \(totalFiles)" : "\(free >> 20) MB of \(total >> 20) MB are left"
    }
}
