import DurableFiles
import Glibc
import RealServers
import Synchronization
import Testing

@testable import Supervision

@Suite(.serialized) struct OrphanTests {
    /// A child that has left its server's session, holds its output, and cannot be told anything; its command line ends with the scratch's path.
    private static func hidden(in scratch: Scratch, _ before: String = "") -> String {
        "setsid \(before) sh -c 'trap \"\" TERM HUP; echo hidden; while :; do sleep 1000; done' sh \(scratch.path) &"
    }

    private static func ready(_ scratch: Scratch, _ script: String) -> ServiceSpecification {
        Fixture.shell(script)(scratch)
    }

    @Test(
        "a server's death is noticed while a child of another session holds its output; the child goes before the successor comes",
        .timeLimit(.minutes(1)))
    func leavesSession() async throws {
        try await Fixture.with({ scratch in
            Self.ready(scratch, "\(Self.hidden(in: scratch)) echo up; exec sleep 1000")
        }) { fixture in
            try await fixture.service.waitUntilReady(deadline: .seconds(20))
            let first = try await fixture.pid
            try await until { processes(marked: fixture.scratch.path).count == 1 }
            let old = try #require(processes(marked: fixture.scratch.path).first)
            #expect(ProcessTable.group(of: old) == old)
            kill(first, SIGKILL)
            try await fixture.waitForSuccessor(of: first)
            #expect(ProcessTable.group(of: old) == nil)
            try await until { processes(marked: fixture.scratch.path).count == 1 }
            await fixture.service.stop()
            #expect(processes(marked: fixture.scratch.path).isEmpty)
        }
    }

    @Test("a child that hides where it comes from is known by its user; without one it goes when everything has stopped", .timeLimit(.minutes(1)))
    func hides() async throws {
        let place = Mutex("")
        try await Fixture.with({ scratch in
            place.withLock { $0 = scratch.path }
            var specification = Self.ready(scratch, "\(Self.hidden(in: scratch, "env -i")) echo up; exec sleep 1000")
            specification.account = .init(user: 61184, group: 61184)
            return specification
        }) { fixture in
            try await fixture.service.waitUntilReady(deadline: .seconds(20))
            try await until { processes(marked: fixture.scratch.path).count == 1 }
        }
        let path = place.withLock { $0 }
        if geteuid() != 0 { await SupervisedService.endOrphans() }
        #expect(processes(marked: path).isEmpty)
    }

    @Test("a child that prints without an end does not hide its server's death", .timeLimit(.minutes(1)), arguments: ["", "setsid"])
    func floods(_ before: String) async throws {
        try await Fixture.with({ scratch in
            ServiceSpecification(
                name: "flood", executable: "/bin/sh", arguments: ["-c", "\(before) yes \(scratch.path) & exec sleep 1000"])
        }) { fixture in
            try await fixture.service.waitUntilReady(deadline: .seconds(20))
            try await until { processes(marked: fixture.scratch.path).count == 1 }
            let first = try await fixture.pid
            let old = try #require(processes(marked: fixture.scratch.path).first)
            kill(first, SIGKILL)
            try await until {
                let pid = await fixture.service.snapshot().pid
                return pid != nil && pid != first
            }
            #expect(ProcessTable.group(of: old) == nil)
        }
    }

    @Test("a child of a child of a server that comes to us and ends is no zombie, and what runs on runs on", .timeLimit(.minutes(1)))
    func zombies() async throws {
        try await Fixture.with({ scratch in
            Self.ready(scratch, "(setsid sleep 0.05 &) ; (setsid sh -c 'sleep 1000' \(scratch.path) &) ; echo up; exec sleep 1000")
        }) { fixture in
            try await fixture.service.waitUntilReady(deadline: .seconds(20))
            let pid = try await fixture.pid
            // The server's shell is one more of that name until it is `sleep`.
            try await until { processes(marked: fixture.scratch.path).count == 1 }
            let marked = processes(marked: fixture.scratch.path)
            try await until { Self.ended(childrenOf: getpid()).isEmpty }
            // Its server lives: a helper that it has started so is its own matter.
            #expect(processes(marked: fixture.scratch.path) == marked)
            #expect(try await fixture.pid == pid)
        }
    }

    private static func ended(childrenOf parent: Int32) -> [Int32] {
        ProcessTable.processes().filter { pid in
            guard let text = ProcessTable.read("/proc/\(pid)/stat"), let bracket = text.lastIndex(of: ")") else { return false }
            return text[text.index(after: bracket)...].hasPrefix(" Z \(parent) ") && ProcessTable.group(of: pid) != getpgrp()
        }
    }
}
