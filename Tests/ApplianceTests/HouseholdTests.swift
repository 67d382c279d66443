import Glibc
import RealServers
import Settings
import Subprocess
import SystemPackage
import Testing

@testable import Appliance
@testable import Supervision

@Suite("the household")
struct HouseholdTests {
    /// Four shells in place of the servers. Each writes down when it is told to end, and when it has.
    private static func household(in scratch: Scratch, silent: Service? = nil) -> Household {
        var services: [Service: SupervisedService] = [:]
        for service in Service.allCases {
            let file = "\(scratch.path)/\(service.rawValue).up"
            let script = """
                trap 'echo \(service.rawValue) told >> \(scratch.path)/story; kill $!; wait; echo \(service.rawValue) gone >> \(scratch.path)/story; exit 0' TERM
                sleep 1000 &
                echo \(service.rawValue) up >> \(scratch.path)/story
                \(service == silent ? "" : "echo > \(file)")
                wait
                """
            let specification = ServiceSpecification(
                name: service.rawValue, executable: "/bin/sh", arguments: ["-c", script],
                readiness: .init { guard access(file, F_OK) == 0 else { throw NotYet() } })
            services[service] = SupervisedService(specification, sink: LogSink(folder: scratch.path, service: service.rawValue))
        }
        return Household(services)
    }

    private struct NotYet: Error {}

    private static func story(in scratch: Scratch) throws -> [String] {
        let file = try FileDescriptor.open(scratch.path + "/story", .readOnly)
        return try file.closeAfter {
            let bytes = try [UInt8](unsafeUninitializedCapacity: 10_000) { buffer, count in
                count = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
            return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }

    @Test("servers start when it is their turn, and stop one after the other: first the door, last the messages")
    func order() async throws {
        try await Scratch.with { scratch in
            let household = Self.household(in: scratch)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await household.run() }
                do {
                    household.start(.prosody)
                    try await household.waitUntilReady([.prosody], deadline: .seconds(20))
                    let states = await household.snapshots().map { "\($0.name) \($0.state.name)" }
                    #expect(states == ["prosody ready", "coturn stopped", "portal stopped", "nginx stopped"])
                    #expect(try Self.story(in: scratch) == ["prosody up"])
                    for service in [Service.coturn, .portal, .nginx] { household.start(service) }
                    #expect(await household.problem(deadline: .seconds(20)) == nil)
                    #expect(await household.snapshots().allSatisfy { $0.state == .ready && $0.pid != nil && $0.restarts == 0 })
                } catch {
                    await household.stop()
                    throw error
                }
                let pids = await household.snapshots().compactMap(\.pid)
                await household.stop()
                // run() ends, too.
                try await group.waitForAll()
                let stops = ["nginx", "portal", "coturn", "prosody"].flatMap { ["\($0) told", "\($0) gone"] }
                #expect(Array(try Self.story(in: scratch).dropFirst(4)) == stops)
                #expect(await household.snapshots().allSatisfy { $0.state == .stopped && $0.pid == nil })
                for pid in pids { #expect(kill(-pid, 0) != 0 && errno == ESRCH) }
            }
        }
    }

    @Test("the server that does not serve in time is named, and the others are stopped all the same")
    func silent() async throws {
        try await Scratch.with { scratch in
            let household = Self.household(in: scratch, silent: .coturn)
            await withDiscardingTaskGroup { group in
                group.addTask { await household.run() }
                for service in Service.allCases { household.start(service) }
                // Those before it in the order are not what this is about.
                #expect(await household.problem(of: [.prosody, .nginx], deadline: .seconds(30)) == nil)
                let problem = await household.problem(deadline: .seconds(2))
                guard case .notReady("coturn", .starting, nil) = problem else {
                    Issue.record("\(String(describing: problem))")
                    return await household.stop()
                }
                await household.stop()
            }
            #expect(await household.snapshots().allSatisfy { $0.state == .stopped })
        }
    }

    @Test("nginx that waits for its next start is started with the files that are there now, and is not told to read them")
    func waiting() async throws {
        try await Scratch.with { scratch in
            // It ends as long as its file is wrong.
            let script = "test -e \(scratch.path)/good || exit 1; echo > \(scratch.path)/up; sleep 1000"
            let specification = ServiceSpecification(
                name: "nginx", executable: "/bin/sh", arguments: ["-c", script], reloadSignal: .hangUp,
                readiness: .init { guard access(scratch.path + "/up", F_OK) == 0 else { throw NotYet() } },
                restart: RestartPolicy(firstPause: .seconds(3_600), longestPause: .seconds(3_600)))
            let household = Household([.nginx: SupervisedService(specification, sink: LogSink(folder: scratch.path, service: "nginx"))])
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await household.run() }
                do {
                    household.start(.nginx)
                    try await until { await household.waiting() == [.nginx] }
                    let isReloaded = if case .notRunning = await household.reload(.nginx) { false } else { true }
                    #expect(!isReloaded)
                    try scratch.file(scratch.path + "/good", "", mode: 0o600)
                    #expect(await household.useFiles(of: .nginx) == nil)
                    #expect(await household.snapshots().map(\.state) == [.ready])
                } catch {
                    await household.stop()
                    throw error
                }
                await household.stop()
                try await group.waitForAll()
            }
        }
    }

    @Test("a server that is not there is not waited for, and cannot be reloaded into being")
    func absent() async throws {
        let household = Household([:])
        await withDiscardingTaskGroup { group in
            group.addTask { await household.run() }
            household.start(.nginx)
            #expect(await household.problem(deadline: .seconds(20)) == nil)
            #expect(await household.reload(.nginx) == nil)
            await household.stop()
        }
        #expect(await household.snapshots().isEmpty)
    }
}
