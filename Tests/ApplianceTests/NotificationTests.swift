import Glibc
import RealServers
import Testing

@testable import Appliance

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
