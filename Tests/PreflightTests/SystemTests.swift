import Glibc
import RealServers
import Settings
import Supervision
import Testing

@testable import Preflight

@Suite("What is read from this machine")
struct SystemTests {
    @Test("systemd-resolved's own address is passed over for those that it asks, and a loop is found")
    func resolved() async throws {
        try await Scratch.with { scratch throws in
            let stub = try scratch.write("stub", "nameserver 127.0.0.53\noptions edns0\nsearch lan .\n")
            let upstream = try scratch.write("upstream", "nameserver 192.0.2.1\nnameserver 2001:db8::1\n")
            let choice = ResolverChoice(file: stub, upstream: upstream)
            #expect(choice.servers == ["192.0.2.1:53", "[2001:db8::1]:53"] && choice.search == ["lan"] && choice.findings.isEmpty)
            #expect(ResolverChoice(file: stub, upstream: stub).findings.problems == ["resolver red"])
            #expect(ResolverChoice(file: stub, upstream: "/nonexistent").servers == ["127.0.0.53:53"])
            let empty = try scratch.write("empty", "")
            #expect(ResolverChoice(file: empty, upstream: upstream).findings.problems == ["resolver yellow"])
            #expect(ResolverChoice(file: "/nonexistent").findings.problems == ["resolver red"])
        }
    }

    @Test("a line of /etc/hosts that DNS does not confirm is named; one with this machine's address is not")
    func hosts() async throws {
        try await Scratch.with { scratch throws in
            let hosts = HostsFile(
                try scratch.write(
                    "hosts",
                    "127.0.0.1 localhost\n203.0.113.5 chat.example.org # ours\n\n127.0.1.1\tgroups.chat.example.org groups\n10.0.0.5 share.chat.example.org\n"
                ))
            let found = hosts.findings(
                names: ["chat.example.org", "groups.chat.example.org", "share.chat.example.org"],
                machine: MachineAddresses(four: ["203.0.113.5"], privateFour: ["10.0.0.5"]))
            #expect(found.problems == ["hosts yellow"])
            #expect(found.first?.what.contains("line 4") == true)
        }
    }

    @Test("a port that another program has is named with it, and ours are not")
    func ports() async throws {
        let port = try freePort()
        let settings = try Settings.example("SNIKKET_TWEAK_XMPP_CLIENT_PORT=\(port)\nSNIKKET_TWEAK_LISTEN_ADDRESSES=127.0.0.1")
        let others = Doors(ports: [port], addresses: ["127.0.0.1"])
        #expect(others.open == [port])
        let check = PortsCheck(settings: settings, ownGroups: [])
        // A process that another test has just forked shares the port until its exec.
        var conflicts: [PortConflict] = []
        try await until {
            conflicts = check.conflicts().filter { $0.wanted.port == port }
            return conflicts.map(\.pid) == [getpid()]
        }
        let findings = check.findings(conflicts, isVisible: true)
        #expect(findings.problems == ["ports red"])
        #expect(findings.first?.what.contains("process \(getpid())") == true)
        try await until { !PortsCheck(settings: settings, ownGroups: [getpgrp()]).conflicts().contains { $0.wanted.port == port } }
        // Another user's: whose it is cannot be seen.
        let unseen = conflicts.map { conflict in
            var conflict = conflict
            (conflict.pid, conflict.process) = (nil, nil)
            return conflict
        }
        #expect(check.findings(unseen, isVisible: false).first?.remedy?.contains("sudo snikket check") == true)
        #expect(check.findings([], isVisible: true).problems.isEmpty)
        withExtendedLifetime(others) {}
    }

    @Test("only a listener of ours says the word; a closed port and somebody else's are told apart")
    func doors() async throws {
        let (ours, closed) = (try freePort(), try freePort())
        let doors = Doors(ports: [ours], addresses: ["127.0.0.1", "127.0.0.2"])
        #expect(doors.refused.isEmpty)
        async let answering: Void = onThread { doors.run() }
        for address in ["127.0.0.1", "127.0.0.2"] {
            let knock = await onThread { Knock.at(address, ours, seconds: 3, expecting: doors.word.count) }
            #expect(knock == .answered(doors.word))
        }
        #expect(await onThread { Knock.at("127.0.0.1", closed, seconds: 3, expecting: 0) } == .failed(errno: ECONNREFUSED))
        #expect(await onThread { Knock.at("no address", ours, seconds: 3, expecting: 0) } == .failed(errno: EINVAL))
        let taken = Doors(ports: [ours], addresses: ["127.0.0.1"])
        #expect(taken.refused == [ours: EADDRINUSE])
        doors.end()
        await answering
    }

    @Test("a server that runs, and one that is started at every boot, are named; our own and one in another network are not")
    func otherServers() async throws {
        try await Scratch.with { scratch in
            let nginx = try await Nginx(in: scratch)
            try await RealServer.with(Nginx.executable, nginx.arguments) { server in
                try await until { RunningProgram.all().contains { $0.pid == server.pid && $0.names == ["nginx"] } }
                func isSeen(ownGroups: Set<Int32>) -> Bool {
                    OtherServersCheck(ownGroups: ownGroups, named: [], enabled: nil).others().contains { $0.pid == server.pid }
                }
                #expect(isSeen(ownGroups: []) && !isSeen(ownGroups: [server.pid]))
                let nginx = OtherServersCheck(ownGroups: [], named: [], enabled: nil).findings().filter {
                    $0.what.hasPrefix("nginx, a web server, runs")
                }
                #expect(nginx.map(\.level) == [.yellow])
                #expect(OtherServersCheck(ownGroups: [], named: [server.pid], enabled: nil).findings().allSatisfy { !$0.what.hasPrefix("nginx") })
                // The same program in a network of its own is seen, and in nobody's way.
                try await RealServer.with("/usr/bin/unshare", ["--net", "--map-root-user", "sleep", "60"]) { sleeper in
                    try await until { RunningProgram.all().contains { $0.pid == sleeper.pid && $0.names.contains("sleep") } }
                    let others = OtherServersCheck(ownGroups: [], named: [], enabled: nil).others()
                    #expect(!others.contains { $0.pid == sleeper.pid })
                }
            }
            _ = try scratch.write("caddy.service", "")
            let enabled = OtherServersCheck(ownGroups: [], named: [], enabled: scratch.path).findings().filter { $0.what.hasPrefix("caddy") }
            #expect(enabled.map(\.level) == [.yellow])
        }
    }

    @Test("the servers' programs are found with Prosody's version; without them the package is named")
    func programs() async throws {
        let here = await ProgramsCheck(settings: try .example()).findings()
        #expect(here.map(\.level) == [.green])
        let nowhere = await ProgramsCheck(settings: try .example(), folders: ["/nonexistent"]).findings()
        #expect(nowhere.map(\.remedy) == ["apt install prosody"])
        let sorting = try Settings.example("SNIKKET_CHALLENGE=tls-alpn-01")
        #expect(await ProgramsCheck(settings: sorting, streamModule: "/nonexistent").findings().map(\.remedy) == ["apt install libnginx-mod-stream"])
    }

    @Test("a tool that hangs is given up on, and one that fails says nothing")
    func tools() async {
        #expect(await Tool.output(of: "/bin/echo", ["yes"], seconds: 60) == "yes\n")
        #expect(await Tool.output(of: "/bin/false", []) == nil)
        #expect(await Tool.output(of: "/nonexistent", []) == nil)
        let start = ContinuousClock.now
        #expect(await Tool.output(of: "/bin/sleep", ["60"]) == nil)
        #expect(start.duration(to: .now) < .seconds(30))
    }
}
