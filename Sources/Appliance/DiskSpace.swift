import Glibc

/// How much room the file system of a folder has.
struct DiskSpace: Sendable, Equatable {
    /// Bytes that are left for others than root.
    var free: Int
    /// Bytes altogether.
    var total: Int

    init(free: Int, total: Int) {
        self.free = free
        self.total = total
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
        self.init(free: bytes(facts.f_bavail), total: bytes(facts.f_blocks))
    }

    /// 0: enough; 1: less than half a gigabyte, or on a small disk less than a twentieth; 2: less than 100 MB or a hundredth.
    var alarm: Int {
        switch free {
        case ..<min(100 << 20, total / 100): 2
        case ..<min(500 << 20, total / 20): 1
        default: 0
        }
    }

    /// Whether it is so well above the alarm that it will not be back at once.
    var isAmple: Bool { free >= 2 * min(500 << 20, total / 20) }
}
