import Glibc
import Lifecycle

/// Tells what the unit does, until there is an end. Ending this does nothing to the upgrade.
struct UpgradeFollowing {
    private let places: UpgradePlaces

    init(_ places: UpgradePlaces) {
        self.places = places
    }

    /// Waits for the end.
    ///
    /// - Throws: ``Failure`` when it is not the one that was wished.
    func end() async throws {
        var last: UpgradeRecord.Step?
        while true {
            guard let record = try UpgradePreparation(places).record() else { return }
            if record.step != last, record.step != .waiting { Terminal.standardOutput.print(record.words) }
            last = record.step
            // The unit takes the runner away last.
            if record.step.isEnd, access(places.runner, F_OK) != 0 { return try record.judge() }
            try await Task.sleep(for: .milliseconds(200))
        }
    }
}
