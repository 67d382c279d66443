import DurableFiles
import Glibc
import RealServers
import Synchronization
import Testing

@testable import Supervision

@Suite struct ParentTests {
    @Test("kill -9 of the supervising process leaves no nginx, its workers included", .timeLimit(.minutes(2)))
    func nginx() async throws {
        try await Scratch.with { scratch in
            let nginx = try await Nginx(in: scratch)
            try await SupervisedParent.with(.terminate, [Nginx.executable] + nginx.arguments, in: scratch) { parent, group in
                try await until { members(ofGroup: group).count == 3 }
                kill(parent, SIGKILL)
                try await until { members(ofGroup: group).isEmpty }
            }
        }
    }

    @Test("a child outlives idle threads of its parent, and not its parent", .timeLimit(.minutes(2)))
    func threads() async throws {
        try await Scratch.with { scratch in
            try await SupervisedParent.with(.kill, ["/bin/sleep", "1000"], in: scratch) { parent, group in
                let tasks = "/proc/\(parent)/task"
                let before = Set(ProcessTable.names(in: tasks))
                try await until(within: .seconds(60)) { !before.isSubset(of: ProcessTable.names(in: tasks)) }
                #expect(members(ofGroup: group) == [group])
                kill(parent, SIGKILL)
                try await until { members(ofGroup: group).isEmpty }
            }
        }
    }

    @Test("a server runs as its account, with no more than its capabilities; without root as we do", .timeLimit(.minutes(1)))
    func privileges() async throws {
        try await Fixture.with({ _ in
            ServiceSpecification(
                name: "who", executable: "/bin/cat", arguments: ["/proc/self/status"],
                account: .init(user: 61184, group: 61185), capabilities: [.bindService],
                restart: RestartPolicy(failedAfter: 1, failedPause: .seconds(999)))
        }) { fixture in
            try await until { fixture.lines.contains { $0.hasPrefix("nonvoluntary") } }
            let fields = Dictionary(
                fixture.lines.compactMap { line in
                    line.firstIndex(of: ":").map { (String(line[..<$0]), line[line.index(after: $0)...].split { $0 == " " || $0 == "\t" }) }
                }, uniquingKeysWith: { first, _ in first })
            #expect(fields["NoNewPrivs"] == ["1"])
            guard geteuid() == 0 else { return }
            #expect(fields["Uid"] == ["61184", "61184", "61184", "61184"])
            #expect(fields["Gid"] == ["61185", "61185", "61185", "61185"])
            #expect(fields["Groups"] == [])
            for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
                // CAP_NET_BIND_SERVICE is number 10.
                #expect(fields[set] == ["0000000000000400"], "\(set)")
            }
        }
    }

    @Test("kill -9 of the supervising process leaves no server, at whatever moment of its start that comes", .timeLimit(.minutes(10)))
    func killedWhileStarting() async throws {
        try await Scratch.with { scratch in
            let mark = "1000.\(UInt32.random(in: 1...9_999_999))"
            // With a user of its own the parent-death signal is set later, and so missed more often.
            let user = geteuid() == 0 ? ["--user=61184"] : []
            for _ in 0..<(isLong ? 1000 : 60) {
                try await SupervisedParent.with(.kill, user + ["/bin/sleep", mark], in: scratch) { parent in
                    // Looked for without a pause: a start takes a millisecond.
                    let end = ContinuousClock.now + .seconds(20)
                    var child: Int32?
                    while child == nil, ContinuousClock.now < end { child = ProcessTable.descendants(of: parent).first }
                    usleep(.random(in: 0..<3000))
                    // Halted, so that we are really gone before it goes on.
                    kill(try #require(child), SIGSTOP)
                    kill(parent, SIGKILL)
                    try await until { ProcessTable.group(of: parent) == nil }
                    kill(try #require(child), SIGCONT)
                }
                try await until { processes(marked: mark).isEmpty }
            }
        }
    }

    @Test("a server gets its limits, none above ours, its environment, and nothing else", .timeLimit(.minutes(1)))
    func limits() async throws {
        var own = rlimit()
        #expect(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &own) == 0)
        let most = Int(own.rlim_max)
        for (wanted, files) in [(200, 200), (Int.max, most)] {
            try await Fixture.with({ _ in
                var specification = ServiceSpecification(
                    name: "limited", executable: "/bin/sh", arguments: ["-c", "cat /proc/self/limits; env; exec sleep 1000"],
                    account: .init(user: 61184, group: 61185))
                specification.environment["ODD"] = "a 'b' \"c\" $D `e`"
                specification.limits = ResourceLimits(openFiles: wanted, processes: 33, addressSpace: 1 << 30)
                return specification
            }) { fixture in
                try await until { fixture.lines.contains { $0.hasPrefix("ODD") } && fixture.lines.contains { $0.hasPrefix("LANG") } }
                func limit(_ name: String) -> [Substring]? {
                    fixture.lines.first { $0.hasPrefix(name) }?.dropFirst(name.count).split(separator: " ").prefix(2).map { $0 }
                }
                #expect(limit("Max open files") == ["\(files)", "\(files)"])
                #expect(limit("Max core file size") == ["0", "0"])
                #expect(limit("Max address space") == ["\(1 << 30)", "\(1 << 30)"])
                // Without a user of its own the whole of ours would count.
                if geteuid() == 0 { #expect(limit("Max processes") == ["33", "33"]) }
                #expect(fixture.lines.contains("ODD=a 'b' \"c\" $D `e`"))
                let names = fixture.lines.compactMap { line in line.firstIndex(of: "=").map { String(line[..<$0]) } }
                // The shell's own two, and who started it.
                #expect(Set(names) == ["LANG", "ODD", "PATH", "PWD", "SNIKKET_SERVICE"])
            }
        }
    }

    @Test("a server gets only what it may do")
    func rights() {
        let (account, setPCapability) = (Account(user: 1, group: 2), 1 << 8 as UInt64)
        func rights(_ specification: ServiceSpecification, isRoot: Bool, effective: UInt64) -> Privileges {
            Privileges(for: specification, isRoot: isRoot, effective: effective)
        }
        let other = ServiceSpecification(name: "a", executable: "/a", account: account, parentDeathSignal: .terminate)
        let unable = rights(other, isRoot: false, effective: 0)
        #expect((unable.account, unable.capabilities) == (nil, nil))
        #expect(!unable.dropsBounding && unable.parentDeathSignal == .terminate)
        #expect(rights(other, isRoot: true, effective: setPCapability).account == account)
        #expect(rights(other, isRoot: true, effective: setPCapability).capabilities == 0)
        #expect(rights(other, isRoot: true, effective: setPCapability).dropsBounding)
        #expect(!rights(other, isRoot: true, effective: 0).dropsBounding)
        // What root runs as itself keeps what it is given, or everything when that is nothing.
        var own = ServiceSpecification(name: "a", executable: "/a", capabilities: [.setUser, .setGroup])
        #expect(rights(own, isRoot: true, effective: setPCapability).capabilities == 1 << 7 | 1 << 6)
        #expect(rights(own, isRoot: true, effective: setPCapability).account == nil)
        own.capabilities = []
        #expect(rights(own, isRoot: true, effective: setPCapability).capabilities == nil)
    }

    @Test("what root runs as itself has the capabilities that it was given, and its children no others", .timeLimit(.minutes(1)))
    func ownCapabilities() async throws {
        guard geteuid() == 0 else { return }
        let lines = Mutex<[String]>([])
        let specification = ServiceSpecification(
            name: "status", executable: "/bin/cat", arguments: ["/proc/self/status"], capabilities: [.setUser, .setGroup])
        let end = try await Errand.run(specification, deadline: .seconds(20)) { line in lines.withLock { $0.append(line) } }
        #expect(end == .exited(status: 0))
        let sets = lines.withLock { $0 }.filter { $0.hasPrefix("Cap") }.map { $0.split(separator: "\t").map(String.init) }
        let both = "00000000000000c0"
        let none = "0000000000000000"
        #expect(sets == [["CapInh:", none], ["CapPrm:", both], ["CapEff:", both], ["CapBnd:", both], ["CapAmb:", none]])
    }

    @Test("the unit grants what root keeps when it is started by hand, and no more")
    func unit() throws {
        let unit = String(decoding: try File.read(File.folder(of: #filePath) + "/../../templates/systemd/snikket.service"), as: UTF8.self)
        let line = unit.split(separator: "\n").first { $0.hasPrefix("CapabilityBoundingSet=") }
        let granted = try #require(line).dropFirst("CapabilityBoundingSet=".count).split(separator: " ").map {
            $0.dropFirst("CAP_".count).lowercased()
        }
        #expect(Set(granted) == Set(Privileges.kept.map(\.name)))
    }

    @Test("the memory of another user's server is seen", .timeLimit(.minutes(1)))
    func memory() async throws {
        let account = Account(user: 61_186, group: 61_186)
        try await Fixture.with({ _ in
            ServiceSpecification(name: "sleep", executable: "/bin/sleep", arguments: ["600"], account: account)
        }) { fixture in
            try await fixture.service.waitUntilReady(deadline: .seconds(20))
            let pid = try await fixture.pid
            // Just begun it has next to nothing.
            try await until { ProcessTable.memory(ofGroup: pid, runningAs: account) ?? 0 > 50_000 }
            let memory = try #require(await fixture.service.snapshot().memoryBytes)
            #expect(memory > 50_000 && memory < 5_000_000)
        }
    }
}
