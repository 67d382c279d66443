import CLinux
import Glibc

/// Whether this machine's clock can be believed: it can be set while everything runs, and be wrong from the start.
///
/// Timers do not follow it; certificates, and what is kept on disk with a date, do.
struct ClockWatch {
    /// The clocks at one moment.
    struct Reading: Sendable, Equatable {
        /// Milliseconds since 1970.
        var wall: Int
        /// Milliseconds since the machine was started, its sleep included. Nobody can set it.
        var uptime: Int
        /// Whether the kernel has been told the right time lately; nil when nobody says.
        var isSynchronised: Bool?
    }

    /// A clock that was set by less is not worth a word: it was only made right.
    static let smallestJump = 5_000
    /// After its start a machine needs a moment to hear the time from others.
    static let patience = 600_000
    /// Another machine's clock, that of a certificate authority or of whoever built this program, may be a little ahead.
    static let tolerance = 300

    /// When this program was made, in seconds since 1970: it cannot be earlier.
    let builtAt: Int
    private var last: Reading?

    init(builtAt: Int = Self.dateOfProgram()) {
        self.builtAt = builtAt
    }

    /// By how much the clock was set since the last look, in milliseconds; nil when it was not.
    mutating func jump(at reading: Reading) -> Int? {
        defer { last = reading }
        guard let last else { return nil }
        let jump = (reading.wall - last.wall) - (reading.uptime - last.uptime)
        return abs(jump) >= Self.smallestJump ? jump : nil
    }

    /// Whether it says a time that cannot be.
    ///
    /// - Parameter notBefore: when the certificate in use began, in seconds since 1970.
    func isWrong(at reading: Reading, notBefore: Int?) -> Bool { reading.wall / 1_000 < earliest(notBefore) - Self.tolerance }

    private func earliest(_ notBefore: Int?) -> Int { max(builtAt, notBefore ?? 0) }

    /// What is wrong with the clock; nil when nothing is known to be.
    ///
    /// - Parameter notBefore: when the certificate in use began, in seconds since 1970: it cannot be earlier either.
    func problem(at reading: Reading, notBefore: Int?) -> StatusReport.ProblemReport? {
        if isWrong(at: reading, notBefore: notBefore) {
            return .init(
                error: "this machine's clock is wrong",
                cause: "it says \(RFC3339.text(reading.wall / 1_000)), and it is later than \(RFC3339.text(earliest(notBefore)))",
                tryThis: "set it, and have it kept right: timedatectl set-ntp true")
        }
        guard reading.isSynchronised == false, reading.uptime >= Self.patience else { return nil }
        return .init(
            error: "this machine's clock is not kept right", cause: "nothing compares it with the time of others",
            tryThis: "timedatectl set-ntp true; or install chrony")
    }

    /// In words.
    static func words(_ jump: Int) -> String {
        let seconds = abs(jump) / 1_000
        let amount =
            switch seconds {
            case ..<120: "\(seconds) seconds"
            case ..<7_200: "\(seconds / 60) minutes"
            case ..<172_800: "\(seconds / 3_600) hours"
            default: "\(seconds / 86_400) days"
            }
        return "the clock was set \(jump > 0 ? "forward" : "back") by \(amount)"
    }

    private static func dateOfProgram() -> Int {
        var facts = stat()
        return stat("/proc/self/exe", &facts) == 0 ? Int(facts.st_mtim.tv_sec) : 0
    }
}

extension ClockWatch.Reading {
    static func now() -> Self {
        var (wall, uptime) = (timespec(), timespec())
        clock_gettime(CLOCK_REALTIME, &wall)
        clock_gettime(CLOCK_BOOTTIME, &uptime)
        let answer = snikket_clock_is_synchronised()
        let isSynchronised = answer < 0 ? wordOfTimesyncd() : answer == 1
        return Self(wall: wall.milliseconds, uptime: uptime.milliseconds, isSynchronised: isSynchronised)
    }

    /// `ProtectClock=`, as in our unit, forbids even the question (adjtimex(2)). systemd-timesyncd, which Debian has unless another program is installed
    /// for that, leaves a mark when it has set the clock (systemd-timesyncd.service(8)); where it does not run nothing is known.
    static func wordOfTimesyncd(in folder: String = "/run/systemd/timesync") -> Bool? {
        guard access(folder, F_OK) == 0 else { return nil }
        return access(folder + "/synchronized", F_OK) == 0
    }
}

extension timespec {
    fileprivate var milliseconds: Int { Int(tv_sec) * 1_000 + Int(tv_nsec) / 1_000_000 }
}
