import Testing

@testable import Appliance
@testable import Supervision

@Suite("what administrators hear of a server")
struct ServiceWatchTests {
    /// What is told at each look; a look every quarter of a minute.
    private static func told(_ looks: [ServiceSnapshot], isLasting: Bool = false, isOnProbation: Bool = false) -> [Int] {
        var watch = ServiceWatch()
        return looks.enumerated().compactMap { number, snapshot in
            watch.notice(
                of: snapshot, isLasting: isLasting, isOnProbation: isOnProbation, domain: "a.example", now: .seconds(15 * number))?.level
        }
    }

    private static func prosody(_ state: ServiceState, pid: Int32? = 7, failsOften: Bool = false) -> ServiceSnapshot {
        // Its process is hours old.
        ServiceSnapshot(
            name: "prosody", state: state, pid: pid, since: Timestamp(milliseconds: 0), restarts: 1,
            lastProblem: .killed(signal: 11, lastLine: "the last word"), failsOften: failsOften)
    }

    @Test("it works again when it has been well for two minutes, and not when it is so for a moment in between")
    func wellForLong() {
        #expect(Self.told(Array(repeating: Self.prosody(.ready), count: 8)) == [])
        #expect(Self.told(Array(repeating: Self.prosody(.ready), count: 9)) == [0])
        let onAndOff = (0..<100).map { Self.prosody($0 % 8 == 0 ? .unhealthy : .ready) }
        #expect(Self.told(onAndOff, isLasting: true).allSatisfy { $0 == 1 })
        #expect(Self.told((0..<100).map { Self.prosody(.ready, pid: Int32($0 / 8)) }) == [], "each time it is another process")
    }

    @Test(
        "one that is not up for five minutes is told of, whatever it does meanwhile",
        arguments: [
            [ServiceState.stopping], [.starting, .unhealthy, .backingOff(until: .now())], [.reloading],
        ])
    func downForLong(_ states: [ServiceState]) {
        let down = (0..<40).map { Self.prosody(states[$0 % states.count]) }
        #expect(Self.told(Array(down.prefix(20))) == [])
        #expect(Self.told(down) == Array(repeating: 1, count: 20))
        // A moment in between in which it is ready begins it anew.
        #expect(Self.told(Array(down.prefix(15)) + [Self.prosody(.ready)] + Array(down.prefix(15))) == [])
        #expect(Self.told(Array(repeating: Self.prosody(.stopped), count: 40)) == [], "nobody wants it to run")
    }

    @Test("one that was started again in vain is not well before that is forgotten")
    func probation() {
        #expect(Self.told(Array(repeating: Self.prosody(.ready), count: 50), isOnProbation: true) == [])
    }

    @Test("one that fails again and again is told of while it is ready, with its reason, and open as a matter as long as it does")
    func often() {
        #expect(Self.told(Array(repeating: Self.prosody(.ready, failsOften: true), count: 50)) == Array(repeating: 1, count: 50))
        var watch = ServiceWatch()
        let notice = watch.notice(
            of: Self.prosody(.ready, failsOften: true), isLasting: false, isOnProbation: false, domain: "a.example", now: .zero)
        for part in ["prosody, a part of a.example, fails again and again", "ended by signal 11: the last word", "snikket logs prosody"] {
            #expect(notice?.text.contains(part) == true)
        }
        #expect(ServiceWatch.often(Self.prosody(.ready, failsOften: true))?.cause == "ended by signal 11: the last word")
        #expect(ServiceWatch.often(Self.prosody(.failed(until: .now()))) == nil, "that has words of its own")
    }
}
