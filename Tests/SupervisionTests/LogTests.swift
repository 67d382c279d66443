import Glibc
import RealServers
import Testing

@testable import Supervision

@Suite struct LogTests {
    @Test("both outputs are kept line by line, the last words too, control characters shown and endless lines cut", .timeLimit(.minutes(1)))
    func capture() async throws {
        let script = #"""
            echo one; echo two >&2; printf 'red \033[31m\a\r\n'; head -c 10000000 /dev/zero | tr '\0' x; echo; printf 'last words'; exit 1
            """#
        try await Fixture.with({ _ in
            ServiceSpecification(
                name: "talker", executable: "/bin/sh", arguments: ["-c", script], restart: RestartPolicy(failedAfter: 1, failedPause: .seconds(999)))
        }) { fixture in
            try await until { fixture.lines.contains("last words") }
            let lines = fixture.lines
            #expect(lines.prefix(3) == ["one", "two", "red \u{FFFD}[31m\u{FFFD}"])
            #expect(lines[3] == String(repeating: "x", count: 8192) + " [9991808 bytes more]")
        }
    }

    @Test("a log is renamed when it is full, and reading on misses nothing and repeats nothing", .timeLimit(.minutes(1)))
    func rotation() async throws {
        try await Scratch.with { scratch in
            let sink = LogSink(folder: scratch.path, service: "a", limit: 10_000)
            var reader = LogReader(folder: scratch.path, services: ["a"])
            #expect(reader.last(5).isEmpty)
            for number in 0..<50 { sink.write(["line \(number)"]) }
            await sink.settle()
            #expect(reader.last(3).map(\.text) == ["line 47", "line 48", "line 49"])
            var seen: [String] = []
            var next = 50
            sink.write(["line 50"])
            await reader.follow { lines in
                seen += lines.map(\.text)
                // Some new lines between two looks, over several renamings.
                for number in (next + 1)..<min(next + 101, 1050) { sink.write(["line \(number)"]) }
                next = min(next + 100, 1049)
                return seen.count < 1000
            }
            #expect(seen == (50..<1050).map { "line \($0)" })
            var info = stat()
            #expect(stat("\(scratch.path)/a.log", &info) == 0 && info.st_size <= 10_000)
            #expect(stat("\(scratch.path)/a.log.1", &info) == 0 && info.st_size <= 10_000)
            #expect(info.st_mode & 0o007 == 0, "not for everybody")
            var later = LogReader(folder: scratch.path, services: ["a"])
            #expect(later.last(400).map(\.text) == (650..<1050).map { "line \($0)" }, "the renamed file counts too")
        }
    }

    @Test("the lines of several services come in the order of time")
    func merged() async throws {
        try await Scratch.with { scratch in
            _ = try scratch.write("a.log", "2026-01-01T00:00:00.001Z a1\n2026-01-01T00:00:00.003Z a2\nno moment\n")
            _ = try scratch.write("b.log", "2026-01-01T00:00:00.002Z b1\n2026-01-01T00:00:00.004Z b2\nhalf a li")
            var reader = LogReader(folder: scratch.path, services: ["a", "b", "none"])
            #expect(reader.last(10).map(\.text) == ["a1", "b1", "a2", "no moment", "b2"])
            #expect(reader.last(10).isEmpty)
        }
    }

    @Test("a log folder that cannot be written to holds up nobody")
    func unwritable() {
        let sink = LogSink(folder: "/nonexistent", service: "a")
        sink.write(["one", "two"])
        #expect(sink.lastLine == "two")
    }

    @Test("a disk that hangs holds up nobody, neither the server nor its stop", .timeLimit(.minutes(1)))
    func hangingDisk() async throws {
        try await Scratch.with { scratch in
            let path = "\(scratch.path)/talker.log"
            // Nobody reads: after 64 kB every write waits.
            #expect(mkfifo(path, 0o600) == 0)
            let script = "yes 'long lines, so that there are not many' | head -c 5000000; echo > \(scratch.path)/done; exec sleep 1000"
            let service = SupervisedService(
                ServiceSpecification(name: "talker", executable: "/bin/sh", arguments: ["-c", script]),
                sink: LogSink(folder: scratch.path, service: "talker"))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await service.run() }
                try await until { access("\(scratch.path)/done", F_OK) == 0 }
                await service.stop()
                group.cancelAll()
            }
            #expect(await service.state == .stopped)
            // Lets the writer go.
            let reader = open(path, O_RDWR | O_NONBLOCK)
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            try await until {
                let count = read(reader, &buffer, buffer.count)
                return count < 0 && errno == EAGAIN
            }
            close(reader)
        }
    }

    @Test("what did not fit on the disk is counted, and the next line stands alone", .timeLimit(.minutes(1)))
    func fullDisk() async throws {
        try await Scratch.with { scratch in
            let path = "\(scratch.path)/a.log"
            #expect(symlink("/dev/full", path) == 0)
            let sink = LogSink(folder: scratch.path, service: "a")
            sink.write(["one", "two", "three"])
            await sink.settle()
            unlink(path)
            _ = try scratch.write("a.log", "2026-01-01T00:00:00.000Z half a li")
            sink.write(["four"])
            await sink.settle()
            #expect(LogReader.lines("a", in: scratch) == ["half a li", "(3 lines were left out here)", "four"])
        }
    }

    @Test("a log that is emptied in place is read on from its beginning", .timeLimit(.minutes(1)))
    func truncated() async throws {
        try await Scratch.with { scratch in
            let sink = LogSink(folder: scratch.path, service: "a")
            sink.write(["before", "the cut"])
            await sink.settle()
            var reader = LogReader(folder: scratch.path, services: ["a"])
            #expect(reader.last(5).map(\.text) == ["before", "the cut"])
            #expect(truncate("\(scratch.path)/a.log", 0) == 0)
            sink.write(["after"])
            var seen: [String] = []
            await reader.follow { lines in
                seen += lines.map(\.text)
                return false
            }
            #expect(seen == ["after"])
        }
    }

    @Test("a line cannot turn text around, move the cursor, or be anything but UTF-8")
    func obeyed() {
        var splitter = LineSplitter()
        var lines: [String] = []
        let text = "a\u{202E}b\u{2066}c\u{2069}d\u{1B}[2J\u{9B}1m\te\u{85}f ünd 你好\n".utf8 + [0x67, 0xff, 0xc3, 0x0a] + "h\r\n".utf8
        // In pieces of each length: a line, and a character, may come in parts.
        for length in 1...text.count {
            lines = []
            for start in stride(from: 0, to: text.count, by: length) {
                Array(text[start..<min(start + length, text.count)]).withUnsafeBytes { splitter.feed($0) { lines.append($1()) } }
            }
            #expect(lines == ["a\u{FFFD}b\u{FFFD}c\u{FFFD}d\u{FFFD}[2J\u{FFFD}1m\te\u{FFFD}f ünd 你好", "g\u{FFFD}\u{FFFD}", "h"])
        }
    }

    @Test("a moment is RFC 3339 in UTC")
    func moment() {
        #expect(Timestamp(milliseconds: 0).description == "1970-01-01T00:00:00.000Z")
        #expect(Timestamp(milliseconds: 1_795_380_749_007).description == "2026-11-22T20:52:29.007Z")
        #expect((Timestamp(milliseconds: 500) + .milliseconds(1500)).milliseconds == 2000)
    }
}
