import Testing

@testable import Appliance

@Suite("settings that a container could not take over")
struct RefusedSettingsTests {
    private static let problem = StatusReport.ProblemReport(error: "nginx does not serve with them")

    @Test("they are tried again, after pauses that grow to an hour, and others at once")
    func triedAgain() {
        var refusal = RefusedSettings()
        let start = ContinuousClock.now
        #expect(refusal.permits([1], now: start))
        var now = start
        for minutes in [5, 10, 20, 40, 60, 60] {
            _ = refusal.refused([1], for: Self.problem, now: now)
            #expect(!refusal.permits([1], now: now + .seconds(minutes * 60 - 1)))
            #expect(refusal.permits([2], now: now) && refusal.permits(nil, now: now))
            now += .seconds(minutes * 60)
            #expect(refusal.permits([1], now: now))
        }
        _ = refusal.refused([2], for: Self.problem, now: now)
        #expect(refusal.permits([2], now: now + .seconds(300)))
    }

    @Test("what is wrong with them is said once, and again when it is something else")
    func saidOnce() {
        var refusal = RefusedSettings()
        let full = StatusReport.ProblemReport(error: "the disk is full")
        let tries: [(mark: Int, problem: StatusReport.ProblemReport)] = [(1, Self.problem), (1, Self.problem), (1, full), (1, full), (2, full)]
        let isNews = tries.map { refusal.refused([$0.mark], for: $0.problem) }
        #expect(isNews == [true, false, true, false, true])
    }
}
