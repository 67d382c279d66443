import Glibc
import RealServers
import Synchronization
import SystemPackage
import Testing

@testable import Supervision

@Suite struct ErrandTests {
    private func run(
        _ script: String, input: FileDescriptor? = nil, keepsErrors: Bool = false, deadline: Duration = .seconds(60)
    ) async throws -> (Errand.End, [String]) {
        let lines = Mutex<[String]>([])
        let specification = ServiceSpecification(name: "errand", executable: "/bin/sh", arguments: ["-c", script])
        let end = try await Errand.run(specification, input: input, keepsErrors: keepsErrors, deadline: deadline) { line in
            lines.withLock { $0.append(line) }
        }
        return (end, lines.withLock { $0 })
    }

    @Test("its lines and its end are told, an end without a line feed and errors too", .timeLimit(.minutes(1)))
    func lines() async throws {
        let whole = try await run("echo one; echo two >&2; printf three; exit 7", keepsErrors: true)
        #expect(whole.0 == .exited(status: 7))
        #expect(whole.1 == ["one", "two", "three"])
        #expect(try await run("echo one; echo two >&2").1 == ["one"])
        let killed = try await run("kill -USR1 $$")
        #expect(killed.0 == .killed(signal: SIGUSR1))
    }

    @Test("it reads what it is given, and otherwise nothing", .timeLimit(.minutes(1)))
    func input() async throws {
        let ends = try FileDescriptor.pipe()
        try ends.writeEnd.closeAfter { _ = try ends.writeEnd.writeAll("hello\n".utf8) }
        #expect(try await run("cat", input: ends.readEnd).1 == ["hello"])
        try ends.readEnd.close()
        #expect(try await run("cat").1 == [])
    }

    @Test("one that takes too long is killed with what it started", .timeLimit(.minutes(1)))
    func deadline() async throws {
        let (end, lines) = try await run("sleep 1000 & echo $!; wait", deadline: .seconds(3))
        #expect(end == .tooLate)
        let pid = try #require(lines.first.flatMap { Int32($0) })
        try await until { ProcessTable.group(of: pid) == nil }
    }

    @Test("one that has said enough is killed with what it started", .timeLimit(.minutes(1)), arguments: ["", "sleep 0.2;"])
    func enough(pause: String) async throws {
        let lines = Mutex<[String]>([])
        let specification = ServiceSpecification(
            name: "errand", executable: "/bin/sh", arguments: ["-c", "sleep 1000 & echo $!; \(pause) echo enough; wait"])
        let end = try await Errand.run(specification, deadline: .seconds(60), until: { $0 == "enough" }) { line in
            lines.withLock { $0.append(line) }
        }
        #expect(end == .killed(signal: SIGKILL))
        let pid = try #require(lines.withLock { $0.first }.flatMap { Int32($0) })
        try await until { ProcessTable.group(of: pid) == nil }
    }

    @Test("a part of what we do is in our session, and has the descriptors that it is given and no others", .timeLimit(.minutes(1)))
    func inSession() throws {
        let (given, said) = (try FileDescriptor.pipe(), try FileDescriptor.pipe())
        try given.writeEnd.closeAfter { _ = try given.writeEnd.writeAll("from three\n".utf8) }
        let script = "cat <&3; cut -d ' ' -f 6 /proc/$$/stat; pwd; exec ls /proc/self/fd"
        let specification = ServiceSpecification(name: "part", executable: "/bin/sh", arguments: ["-c", script], workingDirectory: "/usr")
        let pid = try specification.startInSession(descriptors: [0, said.writeEnd.rawValue, 2, given.readEnd.rawValue])
        try given.readEnd.close()
        try said.writeEnd.close()
        var bytes = [UInt8](repeating: 0, count: 4096)
        var text = ""
        try said.readEnd.closeAfter {
            while case let count = try bytes.withUnsafeMutableBytes({ try said.readEnd.read(into: $0) }), count > 0 {
                text += String(decoding: bytes.prefix(count), as: UTF8.self)
            }
        }
        var status: Int32 = -1
        #expect(waitpid(pid, &status, 0) == pid && status == 0)
        #expect(text.split(separator: "\n").map(String.init) == ["from three", "\(getsid(0))", "/usr", "0", "1", "2", "3", "4"])
        #expect(throws: Errno.noSuchFileOrDirectory) {
            try ServiceSpecification(name: "none", executable: "/nowhere/program").startInSession(descriptors: [0, 1, 2])
        }
    }

    @Test("what it leaves in its group ends with it, also while that prints without an end", .timeLimit(.minutes(1)))
    func left() async throws {
        let (end, lines) = try await run("yes & echo $!")
        #expect(end == .exited(status: 0))
        let pid = try #require(lines.first { $0 != "y" }.flatMap { Int32($0) })
        try await until { ProcessTable.group(of: pid) == nil }
    }

    @Test("a cancelled task ends it", .timeLimit(.minutes(1)))
    func cancellation() async throws {
        let task = Task { try await run("sleep 1000") }
        task.cancel()
        #expect(try await task.value.0 == .killed(signal: SIGKILL))
    }

    @Test("a program that is not there, or may not be run, is said to be so at once")
    func missing() async throws {
        for (path, error) in [("/nowhere/program", Errno.noSuchFileOrDirectory), ("/etc/passwd", .permissionDenied)] {
            await #expect(throws: error) {
                try await Errand.run(ServiceSpecification(name: "none", executable: path), deadline: .seconds(20)) { _ in }
            }
        }
    }

    @Test("it inherits no descriptor of ours, and no signal that we ignore or hold back", .timeLimit(.minutes(1)))
    func inheritance() async throws {
        let open = open("/etc/passwd", O_RDONLY)
        defer { close(open) }
        #expect(open > 2)
        // Its own one is the folder that is being read.
        let descriptors = try await run("exec ls /proc/self/fd")
        #expect(descriptors.1 == ["0", "1", "2", "3"])
        // It stays so: another test may be writing to whom has gone.
        signal(SIGPIPE, SIG_IGN)
        let signals = try await run("exec grep -E '^Sig(Blk|Ign)' /proc/self/status")
        #expect(signals.1 == ["SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"])
    }
}
