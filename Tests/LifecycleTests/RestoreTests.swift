import DurableFiles
import Glibc
import RealServers
import Testing

@testable import Lifecycle

@Suite("a backup in the place of a state")
struct RestoreTests {
    /// A state, and a backup of it that lies in a folder of the state.
    static func restorer(in scratch: Scratch) async throws -> (Restorer, file: String) {
        var maker = try await BackupFileTests.maker(in: scratch)
        try Tree.makeFolder("\(scratch.path)/state/mine")
        maker.folder = "\(scratch.path)/state/mine/backups"
        let file = try maker.make { _, _ in }.file
        return (
            Restorer(
                file: file, opening: .none, state: maker.state, configuration: "\(scratch.path)/snikket.conf", owners: maker.owners,
                backups: maker.folder), file
        )
    }

    @Test("the backups stay where they are, also when their folder is below the state, and the state goes aside")
    func ownFolder() async throws {
        try await Scratch.with { scratch in
            let (restorer, file) = try await Self.restorer(in: scratch)
            // What a migration has kept leads back to the state that goes.
            try Tree.makeFolder("\(scratch.path)/state/undo")
            let preview = try restorer.prepare(now: 1_795_734_533) { _, _ in }
            #expect(preview.leaving == ["prosody", "undo"])
            try restorer.putInPlace()
            restorer.letGo()
            #expect(!Tree.exists("\(scratch.path)/state/undo"))
            #expect(Tree.exists(file) && Tree.exists("\(preview.aside)/prosody") && !Tree.exists("\(preview.aside)/mine"))
            #expect(try BackupFileTests.verify(file, in: scratch).databases.count == 1)
        }
    }

    @Test("while things are put in place no container begins, and while one runs nothing is put in place", arguments: Restorer.containerLocks)
    func containers(lock: String) async throws {
        try await Scratch.with { scratch in
            let (restorer, _) = try await Self.restorer(in: scratch)
            let path = "\(scratch.path)/state/\(lock)"
            try await scratch.succeed("/bin/mkdir", ["-p", File.folder(of: path)])
            var running = try HeldLock(path)
            #expect(running != nil)
            _ = try restorer.prepare(now: 1_795_734_533) { _, _ in }
            #expect(throws: BackupError.running(state: "\(scratch.path)/state")) { try restorer.putInPlace() }
            withExtendedLifetime(running) {}
            running = nil
            _ = try restorer.prepare(now: 1_795_734_533) { _, _ in }
            try restorer.putInPlace()
            #expect(try HeldLock(path) == nil)
            restorer.letGo()
            #expect(try HeldLock(path) != nil)
        }
    }

    @Test("a plan that speaks of more than was unpacked is undone: nothing is lost to half a restore")
    func incomplete() async throws {
        try await Scratch.with { scratch in
            for folder in ["state", "state/prosody", "state/restoring", "state/restoring/new", "state/restoring/new/state"] {
                try Tree.makeFolder("\(scratch.path)/\(folder)")
            }
            _ = try scratch.write("state/prosody/old", "old")
            let place = RestorePlace(state: "\(scratch.path)/state")
            // The settings' folder is not there, as on a new machine.
            let plan = RestorePlace.Plan(
                direction: .forward, source: "x", aside: "before-restore-x", leaving: ["prosody"], arriving: ["prosody"],
                settingsFolder: "\(scratch.path)/etc/none", settings: [], settingsThatWere: [])
            try place.save(plan)
            #expect {
                try place.carryOut(plan)
            } throws: { error in
                guard case .undone(let words) = error as? BackupError else { return false }
                return words.contains("restoring/new/state/prosody")
            }
            #expect(Tree.exists("\(scratch.path)/state/prosody/old") && !Tree.exists(place.folder))
        }
    }

    /// A restorer for a machine that has nothing yet.
    static func newcomer(_ maker: BackupMaker, _ file: String, in scratch: Scratch, configuration: String) -> Restorer {
        Restorer(
            file: file, opening: .none, state: "\(scratch.path)/new", configuration: "\(scratch.path)/etc/\(configuration)", owners: maker.owners,
            backups: "\(scratch.path)/new/backups")
    }

    @Test("the settings get the name that was asked for, whatever theirs was; what they name keeps its own, and a new machine has no old state")
    func settingsName() async throws {
        try await Scratch.with { scratch in
            var maker = try await BackupFileTests.maker(in: scratch)
            maker.settings.append(try scratch.write("a-key.pem", "key"))
            let restorer = Self.newcomer(maker, try maker.make { _, _ in }.file, in: scratch, configuration: "other.conf")
            let preview = try restorer.prepare(now: 1_795_734_533) { _, _ in }
            #expect(preview.changedSettings == ["\(scratch.path)/etc/a-key.pem", "\(scratch.path)/etc/other.conf"])
            try restorer.putInPlace()
            restorer.letGo()
            #expect(try File.read("\(scratch.path)/etc/other.conf") == File.read("\(scratch.path)/snikket.conf"))
            #expect(Folder.names(in: "\(scratch.path)/etc").sorted() == ["a-key.pem", "other.conf"])
            #expect(Folder.names(in: "\(scratch.path)/new").sorted() == ["backup.lock", "lock", "prosody"])
        }
    }

    @Test("settings that would take the place of a file that they name are refused")
    func takenName() async throws {
        try await Scratch.with { scratch in
            var maker = try await BackupFileTests.maker(in: scratch)
            maker.settings.append(try scratch.write("a-key.pem", "key"))
            let restorer = Self.newcomer(maker, try maker.make { _, _ in }.file, in: scratch, configuration: "a-key.pem")
            #expect(throws: BackupError.settingsName("a-key.pem")) { try restorer.prepare(now: 1_795_734_533) { _, _ in } }
        }
    }

    @Test("a backup that is refused, or whose restore is called off, leaves no state where there was none")
    func nothingLeft() async throws {
        try await Scratch.with { scratch in
            let maker = try await BackupFileTests.maker(in: scratch)
            let file = try maker.make { _, _ in }.file
            let restorer = Self.newcomer(maker, file, in: scratch, configuration: "snikket.conf")
            _ = try restorer.prepare(now: 1_795_734_533) { _, _ in }
            restorer.abandon()
            #expect(!Tree.exists("\(scratch.path)/new"))
            #expect(truncate(file, 2_000) == 0)
            #expect(throws: BackupError.damaged(file, .cutOff)) { try restorer.prepare(now: 1_795_734_533) { _, _ in } }
            #expect(!Tree.exists("\(scratch.path)/new"))
        }
    }
}
