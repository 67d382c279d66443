import Glibc
import RealServers
import Testing

@testable import Supervision

/// What goes on for months must not grow. Each runs in a process of its own, which is looked at from outside.
@Suite struct FlatnessTests {
    private struct Size: CustomStringConvertible {
        var kilobytes: Int
        var descriptors: Int
        var threads: Int
        var description: String { "\(kilobytes) kB, \(descriptors) descriptors, \(threads) threads" }

        init(of pid: Int32) throws {
            kilobytes = try #require(FlatnessTests.status("VmRSS", of: pid))
            descriptors = ProcessTable.names(in: "/proc/\(pid)/fd").count
            threads = try #require(FlatnessTests.status("Threads", of: pid))
        }
    }

    private static func status(_ field: String, of pid: Int32) -> Int? {
        ProcessTable.read("/proc/\(pid)/status")?.split(separator: "\n").first { $0.hasPrefix("\(field):") }
            .flatMap { Int($0.filter(\.isNumber)) }
    }

    private static func size(of path: String) -> Int {
        var info = stat()
        return stat(path, &info) == 0 ? Int(info.st_size) : 0
    }

    @Test("ten thousand restarts cost neither memory nor descriptors", .timeLimit(.minutes(10)))
    func restarts() async throws {
        try await Scratch.with { scratch in
            let starts = scratch.path + "/starts"
            // A byte for each start.
            try await SupervisedParent.with(.kill, ["/bin/dash", "-c", "echo >> \(starts)"], in: scratch) { parent in
                try await until(within: .seconds(60)) { Self.size(of: starts) > (isLong ? 1000 : 200) }
                let before = try Size(of: parent)
                let count = isLong ? 10_000 : 600
                try await until(within: .seconds(500)) { Self.size(of: starts) > count }
                let after = try Size(of: parent)
                // A fifth of a kilobyte for each would be too much; what a heap grows by at first is not.
                #expect(after.kilobytes < before.kilobytes + (isLong ? 2048 : 1024), "\(before), then \(after)")
                // One look may find some that are about to be closed, or to end.
                try await until {
                    let size = try Size(of: parent)
                    return size.descriptors < before.descriptors + 8 && size.threads < before.threads + 4
                }
            }
        }
    }

    @Test("a server that floods its log costs no memory and little disk, and is not held up", .timeLimit(.minutes(5)))
    func flood() async throws {
        try await Scratch.with { scratch in
            let log = scratch.path + "/child.log"
            let megabytes = isLong ? 2000 : 100
            let script = """
                yes 'a line as servers print them, of seventy-eight characters, again and again and ' | head -c \(megabytes)000000
                head -c 10000000 /dev/zero | tr '\\0' x; echo
                head -c 3000000 /dev/urandom; echo
                echo > \(scratch.path)/done; exec sleep 1000
                """
            try await SupervisedParent.with(.kill, ["/bin/sh", "-c", script], in: scratch) { parent in
                try await until(within: .seconds(60)) { Self.size(of: log) > 1 << 20 }
                let before = try Size(of: parent)
                try await until(within: .seconds(200)) { Self.size(of: scratch.path + "/done") > 0 }
                let most = try #require(Self.status("VmHWM", of: parent))
                #expect(most < before.kilobytes + 8192, "\(before), then \(most) kB at most")
                #expect(Self.size(of: log) + Self.size(of: log + ".1") <= 10 << 20)
            }
        }
    }

    @Test("a hundred signals in a second harm neither a server nor us", .timeLimit(.minutes(1)))
    func signals() async throws {
        try await Scratch.with { scratch in
            try await SupervisedParent.with(.kill, ["/bin/sleep", "1000"], in: scratch) { parent, group in
                for number in 0..<100 {
                    for signal in [SIGCHLD, SIGCONT, SIGWINCH, SIGURG] { kill(parent, signal) }
                    if number % 10 == 0 { try await Task.sleep(for: .milliseconds(50)) }
                }
                #expect(members(ofGroup: group) == [group])
                kill(group, SIGKILL)
                try await until { ProcessTable.descendants(of: parent).contains { $0 != group && ProcessTable.group(of: $0) == $0 } }
            }
        }
        try await Fixture.with(
            Fixture.shell("trap 'echo again' HUP; echo up; while :; do sleep 0.01; done", reloadSignal: .hangUp)
        ) { fixture in
            try await fixture.service.waitUntilReady(deadline: .seconds(20))
            let pid = try await fixture.pid
            for _ in 0..<100 {
                try? await fixture.service.reload()
                kill(pid, SIGCONT)
            }
            try await until { fixture.lines.contains("again") }
            try await fixture.service.waitUntilReady(deadline: .seconds(20))
            #expect(try await fixture.pid == pid)
            #expect(await fixture.service.snapshot().restarts == 0)
        }
    }
}
