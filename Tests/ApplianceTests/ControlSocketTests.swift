import Glibc
import LocalHTTP
import NIOPosix
import RealServers
import Settings
import Testing

@testable import Appliance

@Suite("the control socket")
struct ControlSocketTests {
    private static let report = StatusReport(
        healthy: true, phase: .running, services: [], certificate: nil, settingsChanged: false, ports: ["https": 443], domain: "a.example",
        url: "https://a.example",
        version: "1")

    private static func answer(_ request: ControlRequest) async -> ControlAnswer {
        guard request.method == "GET", request.path == "/status", let json = try? report.json() else {
            return ControlAnswer(status: 404, json: Array("{}".utf8))
        }
        return ControlAnswer(status: 200, json: json)
    }

    /// Serves while `body` runs.
    private static func serving(
        _ locations: Locations, answer: @escaping ControlSocket.Answer = Self.answer, pause: Duration = .seconds(15),
        _ body: @Sendable () async throws -> Void
    ) async throws {
        let listening = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { listening.continuation.finish() }
                let socket = ControlSocket(
                    path: locations.controlSocket, group: MultiThreadedEventLoopGroup.singleton, answer: answer, pause: pause)
                do {
                    try await socket.run { listening.continuation.yield() }
                } catch is CancellationError {}
            }
            for await _ in listening.stream { break }
            try await body()
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    private static func prepared(_ body: @Sendable (Scratch, Locations) async throws -> Void) async throws {
        try await Scratch.with { scratch in
            try Ground.prepare(scratch.locations, accounts: .own)
            try await body(scratch, scratch.locations)
        }
    }

    @Test("who asks for the status gets it, several at the same time")
    func status() async throws {
        try await Self.prepared { scratch, locations in
            try await Self.serving(locations) {
                try await withThrowingTaskGroup(of: StatusReport.self) { group in
                    for _ in 0..<40 { group.addTask { try await ControlClient(locations).status() } }
                    for try await report in group { #expect(report == Self.report) }
                }
                #expect(scratch.facts(locations.controlSocket).map { $0.st_mode & S_IFMT } == S_IFSOCK)
                #expect(scratch.facts(locations.controlSocket + ".new") == nil)
            }
            #expect(scratch.facts(locations.controlSocket) == nil)
        }
    }

    @Test("an unknown path is 404, and the connection goes on")
    func unknown() async throws {
        try await Self.prepared { _, locations in
            try await Self.serving(locations) {
                let client = LocalHTTPClient(target: .unix(path: locations.controlSocket))
                for _ in 0..<3 {
                    let missing = try await client.send(.init(path: "/elsewhere"), deadline: .seconds(10))
                    #expect(missing.status == 404)
                    let response = try await client.send(.init(path: "/status"), deadline: .seconds(10))
                    #expect(response.status == 200)
                    #expect(response.header("Content-Type") == "application/json")
                }
                let posted = try await client.send(.init(method: .post, path: "/status"), deadline: .seconds(10))
                #expect(posted.status == 404)
            }
        }
    }

    @Test("the socket that a killed predecessor left is replaced")
    func stale() async throws {
        try await Self.prepared { _, locations in
            for path in [locations.controlSocket, locations.controlSocket + ".new"] { try Self.leaveSocket(at: path) }
            try await Self.serving(locations) {
                let report = try await ControlClient(locations).status()
                #expect(report == Self.report)
            }
        }
    }

    /// A socket that nobody listens on any more.
    private static func leaveSocket(at path: String) throws {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        guard bound == 0 else { throw Scratch.Refused(path: path, code: errno) }
    }

    @Test("a socket that is removed, or has something else in its place, is made anew", .timeLimit(.minutes(1)))
    func removed() async throws {
        try await Self.prepared { scratch, locations in
            try await Self.serving(locations, pause: .milliseconds(20)) {
                #expect(unlink(locations.controlSocket) == 0)
                try await eventually { _ = try await ControlClient(locations).status() }
                #expect(unlink(locations.controlSocket) == 0)
                try Self.leaveSocket(at: locations.controlSocket)
                try await eventually { _ = try await ControlClient(locations).status() }
                #expect(scratch.facts(locations.controlSocket + ".new") == nil)
            }
            #expect(scratch.facts(locations.controlSocket) == nil)
        }
    }

    @Test("where nobody listens and somebody has the lock, it is said who has")
    func locked() async throws {
        try await Self.prepared { _, locations in
            let lock = try RunLock(locations)
            let expected = ApplianceError.withoutSocket(socket: locations.controlSocket, process: Int(getpid()))
            await #expect(throws: expected) { try await ControlClient(locations).status() }
            withExtendedLifetime(lock) {}
        }
    }

    @Test("where nobody listens, nothing is running")
    func notRunning() async throws {
        try await Self.prepared { _, locations in
            let expected = ApplianceError.notRunning(socket: locations.controlSocket)
            await #expect(throws: expected) { try await ControlClient(locations).status() }
            try Self.leaveSocket(at: locations.controlSocket)
            await #expect(throws: expected) { try await ControlClient(locations).status() }
        }
    }

    @Test("an answer that is no report is no answer")
    func nonsense() async throws {
        try await Self.prepared { _, locations in
            try await Self.serving(locations, answer: { _ in ControlAnswer(status: 200, json: Array("{}".utf8)) }) {
                await #expect(throws: ApplianceError.noAnswer(socket: locations.controlSocket)) { try await ControlClient(locations).status() }
            }
        }
    }
}
