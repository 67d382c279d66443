internal import CLinux
internal import DurableFiles
internal import Glibc
internal import Settings

/// The clock (adjtimex(2)).
struct ClockCheck: Sendable {
    /// Seconds since 1970.
    var now = Int(time(nil))
    /// Whether something keeps it right; nil when that cannot be told.
    var isSynchronised = Self.kernelsWord()
    /// When the certificate in use begins, in seconds since 1970.
    var certificateBegins: Int?

    /// No version of this program is older: 2026-01-01.
    private static let earliest = 1_767_225_600

    private static func kernelsWord() -> Bool? {
        let state = snikket_clock_is_synchronised()
        return state < 0 ? nil : state == 1
    }

    var finding: Finding {
        let remedy = "apt install systemd-timesyncd, or `timedatectl set-ntp true`"
        if now < Self.earliest {
            return Finding(.clock, .red, "the clock is years behind: no certificate is valid then", try: remedy)
        }
        if let begins = certificateBegins, now < begins {
            return Finding(.clock, .red, "the clock is behind: this machine's own certificate begins in \((begins - now) / 60) minutes", try: remedy)
        }
        return switch isSynchronised {
        case true?: Finding(.clock, .green, "the clock is kept right")
        case false?: Finding(.clock, .yellow, "nothing keeps the clock right: when it is wrong, certificates and logins fail", try: remedy)
        case nil: Finding(.clock, .yellow, "whether something keeps the clock right cannot be told here", try: "timedatectl")
        }
    }
}

/// Disk, memory, open files.
struct ResourcesCheck: Sendable {
    let state: String
    let isRunning: Bool

    var findings: [Finding] { [disk, memory, files] }

    private var disk: Finding {
        var folder = state
        // Before the installation it is not there: its file system is.
        while access(folder, F_OK) != 0, folder != "/" { folder = File.folder(of: folder) }
        var facts = statvfs()
        guard statvfs(folder, &facts) == 0 else { return Finding(.disk, .yellow, "\(folder): \(errorText(errno))") }
        return Self.disk(
            free: Int(facts.f_bavail) * Int(facts.f_frsize), files: facts.f_files == 0 ? nil : Int(clamping: facts.f_favail), at: state)
    }

    /// - Parameters:
    ///   - free: bytes.
    ///   - files: how many more can be made; nil: as many as there is room for.
    static func disk(free: Int, files: Int? = nil, at folder: String) -> Finding {
        if let files, files < 20_000 {
            return Finding(
                .disk, files < 2_000 ? .red : .yellow, "only \(files) more files can be made for \(folder), whatever room is left",
                try: "find with `df -i` and `du --inodes -x / | sort -n | tail` what has so many, and delete what is not needed")
        }
        let what = "\(size(free)) are free for \(folder)"
        return switch free {
        case ..<(500 << 20): Finding(.disk, .red, what, try: "make room: when the disk is full, messages and files are lost")
        case ..<(2 << 30): Finding(.disk, .yellow, what, try: "make room, or set SNIKKET_UPLOAD_STORAGE_GB and SNIKKET_RETENTION_DAYS lower")
        default: Finding(.disk, .green, what)
        }
    }

    private var memory: Finding {
        var facts: [Substring: Int] = [:]
        let text = (try? File.read("/proc/meminfo")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count >= 2, let kilobytes = Int(words[1]) { facts[words[0].dropLast()] = kilobytes << 10 }
        }
        guard let total = facts["MemTotal"], let available = facts["MemAvailable"] else {
            return Finding(.memory, .yellow, "how much memory there is cannot be told")
        }
        return Self.memory(total: total, available: available, swap: facts["SwapTotal"] ?? 0, isRunning: isRunning)
    }

    /// All in bytes.
    static func memory(total: Int, available: Int, swap: Int, isRunning: Bool) -> Finding {
        let what = "\(size(total)) of memory, \(size(available)) available, \(swap == 0 ? "no" : size(swap) + " of") swap"
        // The kernel keeps some of what was paid for.
        if total < 450 << 20 {
            return Finding(
                .memory, swap < 400 << 20 ? .red : .yellow, what + ": too little", try: "take a machine with 1 GB, or add a swap file of 1 GB")
        }
        if available < (isRunning ? 50 : 200) << 20 {
            return Finding(.memory, .yellow, what + ": most of it is in use", try: "look with `top` which program takes it, or add a swap file")
        }
        if total < 900 << 20, swap == 0 {
            return Finding(.memory, .yellow, what + ": enough for a small circle", try: "add a swap file of 1 GB, so that a busy moment ends nothing")
        }
        return Finding(.memory, .green, what)
    }

    private var files: Finding {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return Finding(.files, .yellow, "the limit of open files cannot be told")
        }
        return Self.files(highest: limit.rlim_max == .max ? nil : Int(clamping: limit.rlim_max))
    }

    /// - Parameter highest: how many files a program may have open; nil for any number.
    static func files(highest: Int?) -> Finding {
        guard let highest, highest < 4096 else {
            return Finding(.files, .green, "a program may have \(highest.map(String.init) ?? "any number of") files open")
        }
        return Finding(
            .files, .yellow, "a program may have only \(highest) files open: every connected app takes one or two",
            try: "raise the hard limit `nofile` in /etc/security/limits.conf, or with `LimitNOFILE=` in the service")
    }
}

/// `1.5 GB`, `512 MB`.
func size(_ bytes: Int) -> String {
    let megabytes = bytes >> 20
    guard megabytes >= 1000 else { return "\(megabytes) MB" }
    let tenths = (bytes >> 20) * 10 / 1024
    return tenths >= 100 ? "\(tenths / 10) GB" : "\(tenths / 10).\(tenths % 10) GB"
}
