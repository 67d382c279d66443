import DurableFiles
import Glibc
import RealServers
import Testing

@testable import Lifecycle

@Suite("programs that do a part of a backup")
struct BackupProgramTests {
    @Test("a program that talks without end is never kept waiting, and its last words are told")
    func talkative() async throws {
        try await Scratch.with { scratch in
            // Many times what a pipe holds; whatever is written in vain would end it.
            let program = try await scratch.program(
                "talk", "#!/bin/sh\nset -e\nhead -c 8000000 /dev/zero | tr '\\0' x >&2\necho >&2\necho the last error >&2\nexit 3\n")
            #expect(throws: BackupError.program("talk", "the last error")) { try BackupCarrier(program: program).carry("/nowhere") }
        }
    }

    @Test("the program that carries backups gets the file, and has the home of whoever we are, where its own settings lie")
    func carrierHome() async throws {
        try await Scratch.with { scratch in
            let program = try await scratch.program("carry", "#!/bin/sh\necho \"$1 $HOME\" > \(scratch.path)/said\n")
            try BackupCarrier(program: program).carry("/nowhere")
            let home = getenv("HOME").map { String(cString: $0) } ?? getpwuid(geteuid()).map { String(cString: $0.pointee.pw_dir) } ?? ""
            #expect(try File.read("\(scratch.path)/said") == Array("/nowhere \(home)\n".utf8))
        }
    }

    @Test("a program that leaves another behind, which keeps its errors open, has ended all the same")
    func leftBehind() async throws {
        try await Scratch.with { scratch in
            let program = try await scratch.program("leave", "#!/bin/sh\nsleep 600 &\necho $! > \(scratch.path)/pid\necho gone >&2\nexit 3\n")
            let begun = ContinuousClock.now
            #expect(throws: BackupError.program("leave", "gone")) { try BackupCarrier(program: program).carry("/nowhere") }
            #expect(begun.duration(to: .now) < .seconds(60))
            let said = String(decoding: try File.read("\(scratch.path)/pid"), as: UTF8.self)
            let pid = try #require(Int32(said.filter(\.isNumber)))
            kill(pid, SIGKILL)
        }
    }

    @Test(
        "a database's name is a name, whatever signs of a URI are in it", arguments: ["a#b.sqlite", "100%.sqlite", "a?mode=rw&x.sqlite", "größe 1"])
    func names(name: String) async throws {
        try await Scratch.with { scratch in
            let path = "\(scratch.path)/\(name)"
            try await scratch.succeed(
                "/usr/bin/sqlite3", ["\(scratch.path)/x", "CREATE TABLE prosody (host, user, store); CREATE TABLE prosodyarchive (a)"])
            #expect(rename("\(scratch.path)/x", path) == 0)
            #expect(try Database.problem(of: path) == nil)
            #expect(try Database.contents(of: path)?.accounts == 0)
        }
    }

    @Test("as much stays free as a chat server needs, and on a small disk a quarter")
    func reserve() {
        #expect(DiskReserve.size(ofDisk: 100 << 30) == (100 << 30) / 50)
        #expect(DiskReserve.size(ofDisk: 10 << 30) == 256 << 20)
        #expect(DiskReserve.size(ofDisk: 64 << 20) == 16 << 20)
    }

    @Test("what verifiers that are dead left behind is removed; those that work, and what is not theirs, stay")
    func leftovers() async throws {
        try await Scratch.with { scratch in
            let maker = try await BackupFileTests.maker(in: scratch)
            let file = try maker.make { _, _ in }.file
            // The number of a process that was waited for, and so is nobody's.
            var (pid, status): (pid_t, Int32) = (0, 0)
            var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("true"), nil]
            #expect(posix_spawn(&pid, "/bin/true", nil, nil, &arguments, environ) == 0 && waitpid(pid, &status, 0) == pid)
            free(arguments[0])
            let (dead, working, other) = ("snikket-verify-\(pid)-aaaaaa", "snikket-verify-1-aaaaaa", "snikket-verify-notes")
            for name in [dead, working, other] { try Tree.makeFolder("\(scratch.path)/\(name)") }
            _ = try scratch.write("\(dead)/0", "decrypted")
            _ = try BackupFileTests.verify(file, in: scratch)
            #expect(!Tree.exists("\(scratch.path)/\(dead)"))
            #expect(Tree.exists("\(scratch.path)/\(working)") && Tree.exists("\(scratch.path)/\(other)"))
        }
    }

    @Test("what a maker with our own number left behind is no hindrance: in a container each has the same")
    func ownNumber() async throws {
        try await Scratch.with { scratch in
            let maker = try await BackupFileTests.maker(in: scratch)
            let left = try scratch.write("\(PackedFile.temporaryPrefix)\(getpid())", "half")
            _ = try maker.make { _, _ in }
            #expect(!Tree.exists(left))
        }
    }
}
