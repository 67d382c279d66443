import Glibc
import RealServers
import Synchronization
import Testing

@testable import Appliance
@testable import Supervision

@Suite("what systemd is told")
struct NotificationTests {
    @Test("each message is a datagram of its own", arguments: [false, true])
    func messages(isAbstract: Bool) async throws {
        try await Scratch.with { scratch in
            let name = isAbstract ? "@snikket-test" + scratch.path : scratch.path + "/notify"
            let socket = try NotifySocket(name)
            let systemd = SystemdNotification(environment: name)
            systemd.ready()
            systemd.status("everything serves")
            systemd.stopping()
            #expect(try socket.receive() == "READY=1")
            #expect(try socket.receive() == "STATUS=everything serves")
            #expect(try socket.receive() == "STOPPING=1")
        }
    }

    @Test("a reload says when it began, on the clock that systemd compares with")
    func reloading() async throws {
        try await Scratch.with { scratch in
            let socket = try NotifySocket(scratch.path + "/notify")
            let before = ContinuousClock.now
            SystemdNotification(environment: scratch.path + "/notify").reloading()
            let lines = try socket.receive().split(separator: "\n")
            #expect(lines.first == "RELOADING=1" && lines.count == 2)
            let moment = try #require(lines.last?.split(separator: "=").last.flatMap { Int($0) })
            var now = timespec()
            clock_gettime(CLOCK_MONOTONIC, &now)
            let age = Int(now.tv_sec) * 1_000_000 + Int(now.tv_nsec) / 1_000 - moment
            #expect(age >= 0 && Duration.microseconds(age) <= before.duration(to: .now) + .milliseconds(1))
        }
    }

    @Test("a server's words cannot tell systemd anything of their own; what has been said is not said again")
    func foreignWords() async throws {
        try await Scratch.with { scratch in
            let socket = try NotifySocket(scratch.path + "/notify")
            let systemd = SystemdNotification(environment: scratch.path + "/notify")
            for _ in 0..<3 { systemd.status("no certificate: \u{1B}[31mred\nMAINPID=1\r\nSTOPPING=1") }
            systemd.status(String(repeating: "é", count: 3_000))
            #expect(try socket.receive() == "STATUS=no certificate:  [31mred MAINPID=1  STOPPING=1")
            #expect(try socket.receive() == "STATUS=" + String(repeating: "é", count: 400) + "...")
        }
    }

    @Test("the line says what goes on, then what is wrong as long as it is")
    func line() {
        func text(
            _ state: ServiceState = .ready, _ problem: ServiceProblem? = nil, in phase: StatusReport.Phase = .running, reloading: Bool = false,
            problems: [String] = [], certificate: String? = nil
        ) -> String {
            let now = Timestamp.now()
            return StatusLine.text(
                domain: "chat.example.org", phase: phase, step: "starting the servers", isReloading: reloading,
                services: [
                    ServiceSnapshot(name: "prosody", state: state, since: now, restarts: 1, lastProblem: problem),
                    ServiceSnapshot(name: "nginx", state: .ready, since: now, restarts: 0),
                ], problems: problems, certificateProblem: certificate)
        }
        #expect(text() == "serving chat.example.org")
        #expect(text(.ready, .killed(signal: 9, lastLine: nil)) == "serving chat.example.org", "it is over")
        #expect(text(.starting, .killed(signal: 9, lastLine: nil)) == "prosody is being started again: ended by signal 9")
        #expect(text(.backingOff(until: .now()), .exited(status: 3, lastLine: "no")) == "prosody is being started again: ended with status 3: no")
        #expect(text(.failed(until: .now()), .exited(status: 3, lastLine: nil)) == "prosody keeps failing: ended with status 3")
        #expect(text(.unhealthy) == "prosody does not answer")
        #expect(text(.reloading) == "serving chat.example.org")
        #expect(text(certificate: "the CA is down") == "serving chat.example.org; the certificate could not be renewed: the CA is down")
        #expect(text(problems: ["the disk is nearly full"]) == "serving chat.example.org; the disk is nearly full")
        #expect(text(reloading: true) == "reading the settings again")
        #expect(text(.stopping, in: .stopping) == "stopping")
        #expect(text(.starting, in: .starting) == "starting the servers", "that they start is no news then")
        #expect(
            text(.starting, .killed(signal: 9, lastLine: nil), in: .starting)
                == "starting the servers; prosody is being started again: ended by signal 9")
    }

    @Test("the watchdog is answered twice as often as systemd asks, and only by whom it is meant for")
    func watchdog() {
        #expect(SystemdNotification.watchdogInterval(microseconds: "90000000", process: nil) == .seconds(45))
        #expect(SystemdNotification.watchdogInterval(microseconds: "90000000", process: "\(getpid())") == .seconds(45))
        #expect(SystemdNotification.watchdogInterval(microseconds: "90000000", process: "1") == nil)
        for nonsense in [nil, "", "0", "-5", "soon"] { #expect(SystemdNotification.watchdogInterval(microseconds: nonsense, process: nil) == nil) }
    }

    @Test(
        "without systemd, or with nonsense in its place, nothing happens",
        arguments: [nil, "", "/nonexistent/notify", String(repeating: "x", count: 200)])
    func nobody(name: String?) {
        let systemd = SystemdNotification(environment: name)
        systemd.ready()
        systemd.stopping()
    }

    @Test("one that is there and does not listen holds up nobody")
    func stuck() async throws {
        try await Scratch.with { scratch in
            let socket = try NotifySocket(scratch.path + "/notify")
            // So many datagrams wait (unix(7)); the last two do not fit.
            let text = try #require(ProcessTable.read("/proc/sys/net/unix/max_dgram_qlen"))
            let room = try #require(Int(text.filter(\.isNumber))) + 1
            let said = Mutex(0)
            let saying = Task.detached {
                for _ in 0..<room + 2 {
                    SystemdNotification(environment: scratch.path + "/notify").alive()
                    said.withLock { $0 += 1 }
                }
            }
            // Listened to in the end: else one that waits for good would not end either.
            let isThrough = (try? await until { said.withLock { $0 } == room + 2 }) != nil
            for _ in 0..<room { #expect(try socket.receive() == "WATCHDOG=1") }
            await saying.value
            #expect(isThrough)
        }
    }
}

/// systemd's end.
private final class NotifySocket: Sendable {
    private let descriptor: Int32

    init(_ name: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(name.utf8)
        if name.hasPrefix("@") { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        var deadline = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &deadline, socklen_t(MemoryLayout<timeval>.size))
        guard bound == 0 else { throw Scratch.Refused(path: name, code: errno) }
    }

    deinit { close(descriptor) }

    func receive() throws -> String {
        var buffer = [UInt8](repeating: 0, count: 1000)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count >= 0 else { throw Scratch.Refused(path: "recv", code: errno) }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }
}
