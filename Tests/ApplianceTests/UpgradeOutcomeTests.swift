import Lifecycle
import Testing

@testable import Appliance

@Suite("what administrators hear of an upgrade of this program")
struct UpgradeOutcomeTests {
    private static func record(
        _ step: UpgradeRecord.Step, isRollback: Bool = false, isUnattended: Bool = true, isTransient: Bool = false
    ) -> UpgradeRecord {
        var record = UpgradeRecord(
            old: .init(version: "0.1.0", package: "/p/1.deb"), new: .init(version: "0.2.0", package: "/p/2.deb"), isRollback: isRollback,
            isUnattended: isUnattended, makesBackup: true, stateVersion: 1, wasRunning: true, wasHealthy: true, begun: 1_795_734_533)
        (record.step, record.reason, record.isTransient) = (step, "nobody can log in", isTransient)
        return record
    }

    @Test("one that was taken back is told, with why and that nothing has to be done")
    func takenBack() throws {
        let outcome = try #require(UpgradeOutcome(of: Self.record(.wentBack)))
        #expect(
            outcome.text(domain: "chat.example.org")
                == "On the server of chat.example.org, the upgrade to snikket 0.2.0 was taken back: nobody can log in. What to do: nothing: "
                + "0.1.0 serves as before, and this version is not tried again by itself.")
    }

    @Test("one that could not begin is told when nobody was there to read it")
    func notBegun() {
        #expect(UpgradeOutcome(of: Self.record(.abandoned))?.problem.error == "snikket 0.2.0 could not be installed")
        #expect(UpgradeOutcome(of: Self.record(.abandoned, isUnattended: false)) == nil)
    }

    @Test("what went well, what is under way, and what was wished is no news")
    func noNews() {
        #expect(UpgradeOutcome(of: nil) == nil)
        for step: UpgradeRecord.Step in [.waiting, .backingUp, .rehearsing, .installing, .watching, .goingBack, .done] {
            #expect(UpgradeOutcome(of: Self.record(step)) == nil)
        }
        #expect(UpgradeOutcome(of: Self.record(.wentBack, isRollback: true)) == nil)
        #expect(UpgradeOutcome(obstacle: nil) == nil)
    }

    @Test("one that may go well the next time is told too: otherwise nobody hears that it never does")
    func everyDay() throws {
        let outcome = try #require(UpgradeOutcome(of: Self.record(.abandoned, isTransient: true)))
        #expect(outcome.problem.cause == "nobody can log in" && outcome.problem.tryThis?.contains("tried again every day") == true)
        #expect(UpgradeOutcome(of: Self.record(.abandoned, isUnattended: false, isTransient: true)) == nil)
    }

    @Test("what keeps every upgrade from coming by itself is told with its reason")
    func obstacle() throws {
        let outcome = try #require(UpgradeOutcome(obstacle: "there would be no way back"))
        #expect(
            outcome.text(domain: "chat.example.org")
                == "On the server of chat.example.org, no upgrade can come by itself: there would be no way back. What to do: look at it with "
                + "`snikket upgrade`; it is tried again by itself.")
        let unseen = UpgradeOutcome(obstacle: "it is not signed", areWished: false)
        #expect(unseen?.problem.error == "whether there is a newer release cannot be told")
    }
}
