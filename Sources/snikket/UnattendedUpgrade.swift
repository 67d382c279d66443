import Appliance
import DurableFiles
import Glibc
import Lifecycle
import Settings

/// What the timer does: at most once a day, in the quiet hours if there are any, what SNIKKET_UPGRADES allows. What it sees and does not install is
/// left for `snikket up` to tell.
struct UnattendedUpgrade {
    let places: UpgradePlaces
    let settings: Settings

    private var stamp: String { places.folder + "/looked" }
    /// The timer comes every hour; a day and a few minutes more would skip a day.
    private static let pause = 23 * 3_600

    /// What stays in the way is left for `snikket up` to tell: nobody reads what a timer says.
    func run() async throws {
        do {
            if try await look() { unlink(places.obstacle) }
        } catch let error as UpgradeError where error.isLasting {
            let failure = Failure(error)
            let words = [failure.error, failure.cause].compactMap { $0 }.joined(separator: ": ")
            try? File.write(Array(words.utf8), to: places.obstacle, mode: 0o600)
            throw error
        }
    }

    /// - Returns: whether anything was found out; not when it is not the time to look.
    private func look() async throws -> Bool {
        let now = time(nil)
        let automatic = settings.upgrades.automatic
        guard automatic != .no || settings.checksForUpdates else { return true }
        guard settings.quietHours.map({ $0.secondsLeft(at: now) != nil }) ?? true else { return false }
        if let last = File.lastChange(of: stamp), (0..<Self.pause).contains(now - last) { return false }
        let preparation = UpgradePreparation(places)
        if let record = try preparation.record(), !record.step.isEnd { return false }
        let fetch: ReleaseFetch
        // A package that nobody has released has no other version.
        do { fetch = try releaseFetch(elsewhere: settings.upgrades.releases) } catch UpgradeError.noReleases { return true }
        let look = try await preparation.look(fetch)
        try File.write([], to: stamp, mode: 0o600)
        guard look.isNew, look.refusal == nil else {
            if let refusal = look.refusal {
                Terminal.standardOutput.print("\(look.release.version) is not tried again: \(refusal.reason ?? "it was taken back")")
            }
            unlink(places.waiting)
            return true
        }
        guard automatic == .all || automatic == .security && look.isSecurity else {
            try WaitingRelease(look, isHeld: false).write(to: places.waiting)
            return true
        }
        let record = try await preparation.prepare(look, fetch, isUnattended: true, makesBackup: true, now: now)
        // What is not well, somebody looks at; and after an upgrade nobody could tell which of them it was.
        guard record.wasHealthy else {
            Terminal.standardOutput.print("not now: not everything serves")
            try WaitingRelease(look, isHeld: true).write(to: places.waiting)
            return true
        }
        try await preparation.begin(record)
        return true
    }
}
