import DurableFiles
import Lifecycle
import Settings

/// What administrators hear of the last upgrade of this program: nothing while all is well.
struct UpgradeOutcome: Equatable {
    var problem: StatusReport.ProblemReport

    /// - Returns: nil when it stayed, or there was none, or whoever wanted it was told already.
    init?(of record: UpgradeRecord?) {
        guard let record, !record.isRollback, record.isRefusal(of: record.new.version) else { return nil }
        switch record.step {
        case .wentBack:
            problem = .init(
                error: "the upgrade to snikket \(record.new.version) was taken back", cause: record.reason,
                tryThis: "nothing: \(record.old.version) serves as before, and this version is not tried again by itself")
        case .abandoned where record.isUnattended:
            problem = .init(
                error: "snikket \(record.new.version) could not be installed", cause: record.reason,
                tryThis: "look at it with `snikket upgrade`; this version is not tried again by itself")
        default: return nil
        }
    }

    /// The message to administrators.
    func text(domain: String) -> String {
        "On the server of \(domain), \(problem.error)\(problem.cause.map { ": \($0)" } ?? ""). What to do: \(problem.tryThis ?? "nothing")."
    }
}

extension Parts {
    /// Tells what became of the last upgrade, whenever that has changed.
    ///
    /// - Parameter known: when what is written of it was changed last; remembered from one look to the next.
    func tellOfUpgrade(_ known: inout Int?) async {
        let places = UpgradePlaces()
        // A trial beside the installed service has nothing to do with its upgrades.
        guard locations.state == places.state, case let change = File.lastChange(of: places.record), change != known else { return }
        known = change
        guard let outcome = UpgradeOutcome(of: try? UpgradeRecord.read(from: places.record)) else {
            matters.close("upgrade")
            return await messages.tell(
                "upgrade-outcome", level: 0, "The upgrade that was taken back on the server of \(settings.domain) has been replaced by another.")
        }
        matters.open("upgrade", outcome.problem)
        await messages.tell("upgrade-outcome", level: 1, outcome.text(domain: settings.domain))
    }
}
