import DurableFiles
import Glibc
import RealServers
import Testing

@testable import Lifecycle

@Suite("the version of a state, and how it becomes the newest")
struct StateVersionTests {
    /// A state as the first releases left it, with something of a server's in it.
    private static func state(_ scratch: Scratch, version: Int? = nil) throws -> String {
        let state = scratch.path + "/state"
        for folder in ["", "/secrets", "/prosody", "/prosody/rooms"] where mkdir(state + folder, 0o700) != 0 {
            throw FileError(.write, state, errno: errno)
        }
        _ = try scratch.write("state/secrets/api", "secret")
        _ = try scratch.write("state/prosody/names", "old")
        _ = try scratch.write("state/prosody/rooms/a", "room")
        if let version { _ = try scratch.write("state/version", "\(version)\n") }
        return state
    }

    /// Two steps that change a file, make one and remove a folder.
    private static let steps = [
        Migration(to: 1) { _ in },
        Migration(to: 2, touches: ["prosody/names", "portal/new"]) { state throws(FileError) in
            try File.write(Array("new".utf8), to: state + "/prosody/names", mode: 0o640)
            try Folder.make(state + "/portal", mode: 0o700)
            try File.write(Array("made".utf8), to: state + "/portal/new", mode: 0o600)
        },
        Migration(to: 3, touches: ["prosody/rooms"]) { state throws(FileError) in Folder.remove(state + "/prosody/rooms") },
    ]

    private static func text(_ path: String) -> String? { (try? File.readIfThere(path)).flatMap { $0 }.map { String(decoding: $0, as: UTF8.self) } }

    @Test("a new state has the newest version from its beginning")
    func new() async throws {
        try await Scratch.with { scratch in
            // The folders are made before; what says that somebody has used it is a secret.
            for folder in ["/state", "/state/secrets"] { mkdir(scratch.path + folder, 0o700) }
            let version = StateVersion(of: scratch.path + "/state")
            #expect(try version.found() == nil)
            try version.bringUpToDate()
            #expect(try version.found() == version.newest && version.newest > 0)
            #expect(try StateUndo(of: scratch.path + "/state").leadsTo() == nil)
        }
    }

    @Test("a newer version's state is refused, and nothing in it is touched")
    func newer() async throws {
        try await Scratch.with { scratch in
            let version = StateVersion(of: try Self.state(scratch, version: 7), migrations: Self.steps)
            #expect(throws: StateError.newer(found: 7, known: 3)) { try version.bringUpToDate() }
            #expect(throws: StateError.newer(found: 7, known: 3)) { try version.check() }
            #expect(try version.found() == 7)
        }
    }

    @Test("from every earlier version it becomes the newest, and what was touched can be put back", arguments: [nil, 1, 2])
    func everyVersion(_ from: Int?) async throws {
        try await Scratch.with { scratch in
            let state = try Self.state(scratch, version: from)
            let version = StateVersion(of: state, migrations: Self.steps)
            try version.bringUpToDate()
            #expect(try version.found() == 3)
            #expect(Self.text(state + "/prosody/names") == (from == 2 ? "old" : "new"))
            #expect(Self.text(state + "/prosody/rooms/a") == nil)
            let undo = StateUndo(of: state)
            #expect(try undo.leadsTo() == from ?? 0)
            #expect(undo.paths() == (from == 2 ? ["prosody/rooms"] : ["prosody/names", "portal/new", "prosody/rooms"]))
            // What came after is not in what was touched, and stays.
            _ = try scratch.write("state/prosody/message", "later")
            #expect(try undo.putBack())
            #expect(try version.found() == from ?? 0)
            #expect(Self.text(state + "/prosody/names") == "old" && Self.text(state + "/prosody/rooms/a") == "room")
            #expect(Self.text(state + "/portal/new") == nil && Self.text(state + "/prosody/message") == "later")
            var facts = stat()
            #expect(stat(state + "/prosody/names", &facts) == 0 && facts.st_mode & 0o777 == 0o644)
            #expect(try undo.putBack() == false, "it is put back once")
        }
    }

    @Test(
        "whoever finds a migration half done, at whichever step, does the rest; and the way back still leads to before all of them", arguments: 0...2)
    func interrupted(_ failing: Int) async throws {
        try await Scratch.with { scratch in
            let state = try Self.state(scratch)
            var broken = Self.steps
            broken[failing] = Migration(to: failing + 1, touches: broken[failing].touches) { state throws(FileError) in
                try File.write(Array("half".utf8), to: state + "/prosody/names", mode: 0o600)
                throw FileError(.write, state, errno: EIO)
            }
            // The names are touched by whichever step fails: it says so.
            if failing != 1 {
                broken[failing] = Migration(to: failing + 1, touches: ["prosody/names"] + broken[failing].touches, run: broken[failing].run)
            }
            #expect(throws: StateError.migration(to: failing + 1, FileError(.write, state, errno: EIO))) {
                try StateVersion(of: state, migrations: broken).bringUpToDate()
            }
            #expect(try StateVersion(of: state, migrations: broken).found() ?? 0 == failing)
            #expect(try StateUndo(of: state).leadsTo() == 0)
            try StateUndo(of: state).putBack()
            #expect(Self.text(state + "/prosody/names") == "old" && Self.text(state + "/prosody/rooms/a") == "room")
            try StateVersion(of: state, migrations: Self.steps).bringUpToDate()
            #expect(try StateVersion(of: state, migrations: Self.steps).found() == 3 && Self.text(state + "/prosody/names") == "new")
        }
    }

    @Test("a rehearsal changes a copy of what is touched, and nothing else")
    func rehearsal() async throws {
        try await Scratch.with { scratch in
            let state = try Self.state(scratch)
            let copy = scratch.path + "/copy"
            try StateVersion(of: state, migrations: Self.steps).rehearse(in: copy)
            #expect(Self.text(copy + "/prosody/names") == "new" && Self.text(copy + "/version") == "3\n")
            #expect(Self.text(state + "/prosody/names") == "old" && Self.text(state + "/version") == nil)
            #expect(try StateUndo(of: state).leadsTo() == nil)
        }
    }

    @Test("nothing is put back while a server, a backup or a restore uses the state", arguments: ["lock", "backup.lock"])
    func busy(_ name: String) async throws {
        try await Scratch.with { scratch in
            let state = try Self.state(scratch)
            try StateVersion(of: state, migrations: Self.steps).bringUpToDate()
            let lock = try HeldLock("\(state)/\(name)")
            #expect(throws: StateError.busy(state: state)) { try StateUndo(of: state).putBack() }
            #expect(lock != nil && Self.text(state + "/prosody/names") == "new")
        }
    }

    @Test("what a killed writer left of a way back is never taken for one")
    func halfKept() async throws {
        try await Scratch.with { scratch in
            let state = try Self.state(scratch)
            mkdir(state + "/undo.new", 0o700)
            _ = try scratch.write("state/undo.new/from", "0\n")
            #expect(try StateUndo(of: state).leadsTo() == nil)
            try StateVersion(of: state, migrations: Self.steps).bringUpToDate()
            #expect(try StateUndo(of: state).leadsTo() == 0)
        }
    }

    @Test("what is a server's user's comes back as that user's")
    func owners() async throws {
        // Only root can give files away; for others theirs stay theirs.
        let (user, group) = geteuid() == 0 ? (uid_t(61_184), gid_t(61_185)) : (geteuid(), getegid())
        try await Scratch.with { scratch in
            let state = try Self.state(scratch)
            chmod(state, 0o711)
            chmod(scratch.path, 0o711)
            for path in ["/prosody/rooms/a", "/prosody/rooms", "/prosody/names", "/prosody"] { #expect(lchown(state + path, user, group) == 0) }
            let whole = Migration(to: 4, touches: ["prosody"]) { state throws(FileError) in unlink(state + "/prosody/names") }
            for steps in [Self.steps, [whole]] {
                try StateVersion(of: state, migrations: steps).bringUpToDate()
                #expect(try StateUndo(of: state).putBack())
            }
            for path in ["/prosody/rooms/a", "/prosody/rooms", "/prosody/names"] {
                var facts = stat()
                #expect(lstat(state + path, &facts) == 0 && facts.st_uid == user && facts.st_gid == group, "\(path)")
            }
        }
    }

    @Test("every release's step stays where it is: versions count up by one")
    func order() {
        #expect(Migration.all.map(\.version) == Array(1...Migration.all.count))
    }
}
