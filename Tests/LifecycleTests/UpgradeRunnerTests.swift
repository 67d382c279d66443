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

    /// What is written down of an upgrade; its packages are empty files where there are none.
    private static func record(
        _ places: UpgradePlaces, from old: String, to new: String, _ step: UpgradeRecord.Step
    ) throws -> UpgradeRecord {
        func version(_ number: String) throws -> UpgradeRecord.Version {
            let package = "\(places.packages)/snikket_\(number)_amd64.deb"
            if access(package, F_OK) != 0 { try File.write([], to: package, mode: 0o600) }
            return .init(version: number, package: package)
        }
        var record = UpgradeRecord(
            old: try version(old), new: try version(new), isRollback: false, isUnattended: false, makesBackup: false, stateVersion: 0,
            wasRunning: false,
            wasHealthy: false, begun: 1_795_734_533)
        record.step = step
        return record
    }

    private static func runner(_ places: UpgradePlaces, _ package: InstalledPackage = InstalledPackage()) -> UpgradeRunner {
        UpgradeRunner(places, package: package, say: { _ in }, explain: { "\($0)" })
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
            await #expect(throws: UpgradeError.self) { try await Self.runner(places, InstalledPackage(root: scratch.path)).run() }
            #expect(try UpgradeRecord.read(from: places.record)?.step == .goingBack)
            #expect(access(places.runner, F_OK) == 0, "what goes on with it is there")
        }
    }

    @Test("the way back is that of the last upgrade that stayed, whatever was tried and given up after it")
    func wayBack() async throws {
        try await Scratch.with { scratch in
            let places = try Self.places(scratch)
            let system = try await PackagedSystem(in: scratch, versions: ["0.1", "0.2"], packages: places.packages)
            try await system.package.install(system.file("0.2"))
            try Self.record(places, from: "0.1", to: "0.2", .done).write(to: places.record)
            try await Self.runner(places).run()
            let preparation = UpgradePreparation(places, package: system.package)
            #expect(try await preparation.upgradeToTakeBack().old.version == "0.1")

            // An attempt at the next one, a rollback for which no backup could be made, and one that was taken back.
            try Self.record(places, from: "0.2", to: "0.3", .abandoned).write(to: places.record)
            try await Self.runner(places).run()
            #expect(Folder.names(in: places.packages).sorted() == ["0.1", "0.2", "0.3"].map { "snikket_\($0)_amd64.deb" })
            var rollback = try #require(try UpgradeRecord.read(from: places.done))
            (rollback.isRollback, rollback.step) = (true, .abandoned)
            try rollback.write(to: places.record)
            try await Self.runner(places).run()
            #expect(try await preparation.upgradeToTakeBack().old.version == "0.1")
            #expect(Folder.names(in: places.packages).sorted() == ["0.1", "0.2"].map { "snikket_\($0)_amd64.deb" })
            try Self.record(places, from: "0.2", to: "0.4", .wentBack).write(to: places.record)
            try await Self.runner(places).run()
            #expect(try await preparation.upgradeToTakeBack().old.version == "0.1")

            rollback.step = .wentBack
            try rollback.write(to: places.record)
            try await Self.runner(places).run()
            await #expect(throws: UpgradeError.nothingBefore) { try await preparation.upgradeToTakeBack() }
        }
    }

    @Test("while others install packages dpkg's own words say so, and it is installed when they are done")
    func locked() async throws {
        try await Scratch.with { scratch in
            let places = try Self.places(scratch)
            let system = try await PackagedSystem(in: scratch, versions: ["0.1"], packages: places.packages, patience: .zero)
            try await system.whileLocked {
                await #expect(throws: UpgradeError.packagesBusy) { try await system.package.install(system.file("0.1")) }
                await #expect(throws: UpgradeError.packagesBusy) { try await system.package.waitForOthers() }
            }
            try await system.package.waitForOthers()
            try await system.package.install(system.file("0.1"))
            #expect(try await system.package.version() == "0.1")
            try File.write(Array("no package".utf8), to: system.file("0.2"), mode: 0o600)
            await #expect {
                try await system.package.install(system.file("0.2"))
            } throws: {
                if case .program("dpkg", _) = $0 as? UpgradeError { true } else { false }
            }
        }
    }

    @Test("what dpkg has taken back by itself is left alone, and what it has not is put back")
    func unpackedNot() async throws {
        try await Scratch.with { scratch in
            let places = try Self.places(scratch)
            let system = try await PackagedSystem(in: scratch, versions: ["0.1", "0.2"], packages: places.packages)
            try await system.package.install(system.file("0.1"))
            var bytes = try File.read(system.file("0.2"))
            bytes[bytes.count / 2] ^= 0xFF
            try File.write(bytes, to: system.file("0.2"), mode: 0o600)
            await #expect {
                try await system.package.install(system.file("0.2"))
            } throws: {
                if case .program("dpkg", let words) = $0 as? UpgradeError { words.contains("copy extracted data") } else { false }
            }
            #expect(await system.package.isUntouched("0.1"))

            try Self.record(places, from: "0.1", to: "0.2", .installing).write(to: places.record)
            try await Self.runner(places, system.package).run()
            let end = try #require(try UpgradeRecord.read(from: places.record))
            #expect(end.step == .abandoned && end.isTransient && end.reason == "it was interrupted")

            // The new one runs already, or nobody knows what the old one has become.
            for (step, isWhole) in [(UpgradeRecord.Step.watching, true), (.goingBack, true), (.installing, false)] {
                if !isWhole { try File.write([], to: system.content, mode: 0o644) }
                #expect(await system.package.isUntouched("0.1") == isWhole)
                try Self.record(places, from: "0.1", to: "0.2", step).write(to: places.record)
                // There is no such unit to stop.
                await #expect(throws: UpgradeError.self) { try await Self.runner(places, system.package).run() }
                #expect(try UpgradeRecord.read(from: places.record)?.step == .goingBack)
            }
            #expect(await !system.package.isUntouched("0.2"))
        }
    }

    @Test("a rollback for which others do not let go of dpkg in time is given up before anything is touched")
    func rollbackWhileLocked() async throws {
        try await Scratch.with { scratch in
            let places = try Self.places(scratch)
            let system = try await PackagedSystem(in: scratch, versions: ["0.1", "0.2"], packages: places.packages, patience: .zero)
            var record = try Self.record(places, from: "0.1", to: "0.2", .waiting)
            record.isRollback = true
            try record.write(to: places.record)
            try await system.whileLocked { try await Self.runner(places, system.package).run() }
            let end = try #require(try UpgradeRecord.read(from: places.record))
            #expect(end.step == .abandoned && end.isTransient && end.reason == "packagesBusy")
        }
    }

    @Test("an upgrade is begun once: not while one is under way or prepared, and not from another version than it was prepared for")
    func begun() async throws {
        try await Scratch.with { scratch in
            var places = try Self.places(scratch)
            (places.program, places.patience) = ("/bin/true", .zero)
            let system = try await PackagedSystem(in: scratch, versions: ["0.1", "0.2"], packages: places.packages)
            try await system.package.install(system.file("0.1"))
            let preparation = UpgradePreparation(places, package: system.package)
            let record = try Self.record(places, from: "0.1", to: "0.2", .waiting)
            let lock = try await places.hold()
            await #expect(throws: UpgradeError.busy) { try await preparation.writeDown(record) }
            await #expect(throws: UpgradeError.busy) { try await Self.runner(places).run() }
            withExtendedLifetime(lock) {}
            #expect(try preparation.record() == nil)
        }
        try await Scratch.with { scratch in
            var places = try Self.places(scratch)
            places.program = "/bin/true"
            let system = try await PackagedSystem(in: scratch, versions: ["0.1", "0.2"], packages: places.packages)
            try await system.package.install(system.file("0.1"))
            let preparation = UpgradePreparation(places, package: system.package)
            var record = try Self.record(places, from: "0.1", to: "0.2", .waiting)
            try await preparation.writeDown(record)
            #expect(try preparation.record() == record && access(places.runner, X_OK) == 0)
            await #expect(throws: UpgradeError.underWay) { try await preparation.writeDown(record) }
            record.step = .done
            try record.write(to: places.record)
            try await system.package.install(system.file("0.2"))
            await #expect(throws: UpgradeError.changedMeanwhile(installed: "0.2", expected: "0.1")) { try await preparation.writeDown(record) }
            record.isRollback = true
            try await preparation.writeDown(record)
            #expect(try preparation.record()?.isRollback == true)
        }
    }

    @Test("killed before the first thing was written down, whoever comes next removes no package")
    func noRecord() async throws {
        try await Scratch.with { scratch in
            let places = try Self.places(scratch)
            _ = try Self.record(places, from: "0.1", to: "0.2", .waiting)
            try File.write([], to: places.runner, mode: 0o700)
            try await Self.runner(places).run()
            #expect(Folder.names(in: places.packages).count == 2 && access(places.runner, F_OK) != 0)
        }
    }
}
