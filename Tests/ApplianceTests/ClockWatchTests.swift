import RealServers
import Testing

@testable import Appliance

@Suite("The clock")
struct ClockWatchTests {
    private let start = ClockWatch.Reading(wall: 1_800_000_000_000, uptime: 5_000_000, isSynchronised: true)

    private func later(_ seconds: Int, jump: Int = 0, isSynchronised: Bool? = true) -> ClockWatch.Reading {
        .init(wall: start.wall + (seconds + jump) * 1_000, uptime: start.uptime + seconds * 1_000, isSynchronised: isSynchronised)
    }

    @Test("a clock that goes on, or is made right by a little, was not set", arguments: [0, 1, -4])
    func goesOn(_ correction: Int) {
        var watch = ClockWatch(builtAt: 0)
        #expect(watch.jump(at: start) == nil)
        #expect(watch.jump(at: later(15)) == nil)
        #expect(watch.jump(at: later(30, jump: correction)) == nil)
        // A machine that slept: both clocks went on.
        #expect(watch.jump(at: later(86_400, jump: correction)) == nil)
    }

    @Test("a clock that is set by a year is noticed once, forward and back")
    func year() {
        var watch = ClockWatch(builtAt: 0)
        let year = 365 * 86_400
        #expect(watch.jump(at: start) == nil)
        #expect(watch.jump(at: later(15, jump: year)).map(ClockWatch.words) == "the clock was set forward by 365 days")
        #expect(watch.jump(at: later(30, jump: year)) == nil)
        #expect(watch.jump(at: later(45)).map(ClockWatch.words) == "the clock was set back by 365 days")
        #expect(watch.jump(at: later(60)) == nil)
    }

    @Test("a clock before the certificate's begin, or before the program was made, is wrong")
    func early() {
        let now = start.wall / 1_000
        #expect(ClockWatch(builtAt: now - 60).problem(at: start, notBefore: now - 60) == nil)
        // Another machine's clock is never quite ours.
        #expect(ClockWatch(builtAt: 0).problem(at: start, notBefore: now + 200) == nil)
        for problem in [
            ClockWatch(builtAt: now + 86_400).problem(at: start, notBefore: nil),
            ClockWatch(builtAt: 0).problem(at: start, notBefore: now + 86_400),
        ] {
            #expect(problem?.error == "this machine's clock is wrong")
            #expect(problem?.cause == "it says 2027-01-15T08:00:00Z, and it is later than 2027-01-16T08:00:00Z")
        }
    }

    @Test("a clock that nobody keeps right is a problem, but not right after the machine's start, and not when the system does not tell")
    func unsynchronised() {
        let watch = ClockWatch(builtAt: 0)
        #expect(watch.problem(at: later(0, isSynchronised: false), notBefore: nil)?.error == "this machine's clock is not kept right")
        #expect(watch.problem(at: .init(wall: start.wall, uptime: 60_000, isSynchronised: false), notBefore: nil) == nil)
        #expect(watch.problem(at: later(0, isSynchronised: nil), notBefore: nil) == nil)
    }

    @Test("the real clocks are read")
    func real() {
        var watch = ClockWatch()
        #expect(watch.builtAt > 1_700_000_000)
        #expect(watch.jump(at: .now()) == nil)
        #expect(watch.jump(at: .now()) == nil)
        #expect(ClockWatch.Reading.now().uptime > 0)
        #expect(watch.problem(at: .now(), notBefore: nil)?.error != "this machine's clock is wrong")
    }

    @Test("where the kernel may not be asked, systemd-timesyncd's mark is looked at")
    func timesyncd() async throws {
        try await Scratch.with { scratch in
            let folder = scratch.path + "/timesync"
            #expect(ClockWatch.Reading.wordOfTimesyncd(in: folder) == nil)
            try scratch.folder(folder)
            #expect(ClockWatch.Reading.wordOfTimesyncd(in: folder) == false)
            _ = try scratch.write("timesync/synchronized", "")
            #expect(ClockWatch.Reading.wordOfTimesyncd(in: folder) == true)
        }
    }
}
