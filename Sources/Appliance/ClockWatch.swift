import Glibc

/// Notices when the clock is set back, by what a clock that cannot be set says meanwhile: what was planned by the wrong one waits for a time that is
/// far away. One that is set ahead is no reason to hurry, for it may be wrong itself.
struct ClockWatch {
    /// Smaller steps are what a time server makes all the time, in seconds.
    private static let tolerance = 60
    private var ahead = Self.difference()

    /// Whether it has been set back since the last call.
    mutating func wasSetBack() -> Bool {
        let before = ahead
        ahead = Self.difference()
        return ahead < before - Self.tolerance
    }

    /// CLOCK_BOOTTIME goes on while the machine sleeps, as the real time does.
    private static func difference() -> Int {
        var boot = timespec()
        clock_gettime(CLOCK_BOOTTIME, &boot)
        return Int(time(nil)) - Int(boot.tv_sec)
    }
}
