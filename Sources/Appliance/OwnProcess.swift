import Glibc

/// What the kernel says about this process.
struct OwnProcess: Sendable {
    /// Seconds since 1970.
    var startedAt: Double
    var cpuSeconds: Double?
    var residentBytes: Int?
    var openFiles: Int?
    /// nil: there is no limit.
    var maximumFiles: Int?

    /// As it is now.
    init(startedAt: Double) {
        self.startedAt = startedAt
        var usage = rusage()
        if getrusage(RUSAGE_SELF.rawValue, &usage) == 0 { cpuSeconds = Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime) }
        residentBytes = Self.residentPages().map { $0 * Int(getpagesize()) }
        openFiles = Self.count(in: "/proc/self/fd").map { $0 - 1 }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 { maximumFiles = Int(exactly: limit.rlim_cur) }
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

    /// The second number of /proc/self/statm (proc(5)).
    private static func residentPages() -> Int? {
        let descriptor = Glibc.open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = read(descriptor, &bytes, bytes.count)
        guard count > 0 else { return nil }
        let fields = String(decoding: bytes[..<count], as: UTF8.self).split(separator: " ")
        return fields.count > 1 ? Int(fields[1]) : nil
    }

    /// How many names a folder has, the two dots left out.
    private static func count(in folder: String) -> Int? {
        guard let stream = opendir(folder) else { return nil }
        defer { closedir(stream) }
        var count = 0
        while readdir(stream) != nil { count += 1 }
        return count - 2
    }
}
