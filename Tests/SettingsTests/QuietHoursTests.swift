import Glibc
import Settings
import Testing

@Suite("Quiet hours")
struct QuietHoursTests {
    /// A moment on this machine's clock.
    private func moment(_ hour: Int32, _ minute: Int32, _ second: Int32 = 0) -> Int {
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday, parts.tm_isdst) = (126, 10, 27, -1)
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (hour, minute, second)
        return mktime(&parts)
    }

    @Test("they begin with one hour and end with another, also past midnight")
    func withinThem() {
        let night = QuietHours(begin: 3, end: 5)
        #expect(night.secondsLeft(at: moment(2, 59, 59)) == nil)
        #expect(night.secondsLeft(at: moment(3, 0)) == 7200)
        #expect(night.secondsLeft(at: moment(4, 59, 59)) == 1)
        #expect(night.secondsLeft(at: moment(5, 0)) == nil)
        let midnight = QuietHours(begin: 23, end: 2)
        #expect(midnight.secondsLeft(at: moment(22, 30)) == nil)
        #expect(midnight.secondsLeft(at: moment(23, 30)) == 9000)
        #expect(midnight.secondsLeft(at: moment(1, 30)) == 1800)
        #expect(midnight.secondsLeft(at: moment(2, 0)) == nil)
    }

    @Test(
        "two hours are read as people write them",
        arguments: [("3-5", QuietHours(begin: 3, end: 5)), ("03 - 05", .init(begin: 3, end: 5)), ("22-24", .init(begin: 22, end: 0))])
    func reading(text: String, hours: QuietHours) throws {
        #expect(try settings("SNIKKET_QUIET_HOURS=\(text)").quietHours == hours)
    }

    @Test("anything else is refused", arguments: ["3", "3-3", "0-24", "3-25", "-1-4", "3:30-5", "3-5-7", "night"])
    func refusing(text: String) {
        #expect(problems(with: "SNIKKET_QUIET_HOURS=\(text)") == [Problem(line: 3, option: "SNIKKET_QUIET_HOURS", kind: .notHours(text))])
    }
}
