import DurableFiles
import Glibc
import RealServers
import Supervision
import Synchronization
import Testing

@testable import Lifecycle

@Suite("how an upgrade or a rollback goes on and ends")
struct UpgradeRunnerTests {
    /// Places in a folder of the test's own, with a unit that is nowhere.
    private static func places(_ scratch: Scratch) throws -> UpgradePlaces {
        var places = UpgradePlaces(folder: scratch.path + "/upgrade", state: scratch.path + "/state", settings: scratch.path + "/snikket.conf")
        places.service = "snikket-of-a-test.service"
        for folder in [places.folder, places.packages, places.backups, places.state] { try Folder.make(folder, mode: 0o700) }
        return places
    }

    private static func record(_ places: UpgradePlaces, from old: String, to new: String, _ step: UpgradeRecord.Step) throws -> UpgradeRecord {
        func version(_ number: String) throws -> UpgradeRecord.Version {
            let package = "\(places.packages)/snikket_\(number)_amd64.deb"
            try File.write([], to: package, mode: 0o600)
            return .init(version: number, package: package)
        }
        var record = UpgradeRecord(
            old: try version(old), new: try version(new), isRollback: false, isUnattended: false, makesBackup: false, stateVersion: 0, wasRunning: false,
            wasHealthy: false, begun: 1_795_734_533)
        record.step = step
        return record
    }

    private static func runner(_ places: UpgradePlaces) -> UpgradeRunner {
        UpgradeRunner(places, say: { _ in }, explain: { "\($0)" })
    }

    @Test("a rollback that fails after it has begun is not given up: it is tried again")
    func rollbackFails() async throws {
        try await Scratch.with { scratch in
            let places = try Self.places(scratch)
            var record = try Self.record(places, from: "0.1", to: "0.2", .waiting)
            record.isRollback = true
            try record.write(to: places.record)
            try File.write([], to: places.runner, mode: 0o700)
            // There is no such unit to stop.
            await #expect(throws: UpgradeError.self) { try await Self.runner(places).run() }
            #expect(try UpgradeRecord.read(from: places.record)?.step == .goingBack)
            #expect(access(places.runner, F_OK) == 0, "what goes on with it is there")
        }
    }
}
