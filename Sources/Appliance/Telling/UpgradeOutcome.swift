import DurableFiles
import Lifecycle
import Settings

/// What administrators hear of the last upgrade of this program: nothing while all is well.
struct UpgradeOutcome: Equatable {
    var problem: StatusReport.ProblemReport

    /// - Returns: nil when it stayed, or there was none, or whoever wanted it was told already.
    init?(of record: UpgradeRecord?) {
        guard let record, !record.isRollback else { return nil }
        switch record.step {
        case .wentBack:
            problem = .init(
                error: "the upgrade to snikket \(record.new.version) was taken back", cause: record.reason,
                tryThis: "nothing: \(record.old.version) serves as before, and this version is not tried again by itself")
        case .abandoned where record.isUnattended:
            problem = .init(
                error: "snikket \(record.new.version) could not be installed", cause: record.reason,
                tryThis: record.isTransient
                    ? "look at it with `snikket upgrade`, or wait: it is tried again every day"
                    : "look at it with `snikket upgrade`; this version is not tried again by itself")
        default: return nil
        }
    }

    /// What keeps every upgrade from coming by itself; where none is wished, it keeps new releases from being seen.
    init?(obstacle words: String?, areWished: Bool = true) {
        guard let words, !words.isEmpty else { return nil }
        problem = .init(
            error: areWished ? "no upgrade can come by itself" : "whether there is a newer release cannot be told", cause: words,
            tryThis: "look at it with `snikket upgrade`; it is tried again by itself")
    }

    /// The message to administrators.
    func text(domain: String) -> String {
        "On the server of \(domain), \(problem.error)\(problem.cause.map { ": \($0)" } ?? ""). What to do: \(problem.tryThis ?? "nothing")."
    }
}

extension Parts {
    /// Tells what became of the last upgrade and what release is waiting, whenever that has changed.
    ///
    /// - Parameter known: when what is written of it was changed last, and what else it depends on; remembered from one look to the next.
    func tellOfUpgrade(_ known: inout [Int?]) async {
        let places = UpgradePlaces()
        // A trial beside the installed service has nothing to do with its upgrades.
        guard locations.state == places.state else { return }
        let changes =
            [places.record, places.obstacle, places.waiting].map(File.lastChange(of:))
            + [PackageManager.unpacked("snikket"), settings.checksForUpdates ? 1 : 0]
        guard changes != known else { return }
        known = changes
        await tell(of: settings.checksForUpdates ? WaitingRelease.read(from: places.waiting) : nil)
        await tell(
            UpgradeOutcome(of: try? UpgradeRecord.read(from: places.record)), "upgrade", letter: "upgrade-outcome",
            end: "The upgrade that did not stay on the server of \(settings.domain) has been replaced by another.")
        let words = (try? File.readIfThere(places.obstacle)).flatMap { $0 }.map { String(decoding: $0, as: UTF8.self) }
        await tell(
            UpgradeOutcome(obstacle: words, areWished: settings.upgrades.automatic != .no), "upgrade-obstacle", letter: "upgrade-obstacle",
            end: "Upgrades can come by themselves again on the server of \(settings.domain).")
    }

    private func tell(_ outcome: UpgradeOutcome?, _ matter: String, letter: String, end: String) async {
        guard let outcome else {
            matters.close(matter)
            return await messages.tell(letter, level: 0, end)
        }
        matters.open(matter, outcome.problem)
        await messages.tell(letter, level: 1, outcome.text(domain: settings.domain))
    }
}
