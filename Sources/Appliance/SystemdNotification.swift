import Glibc
import Synchronization

/// Tells systemd how the service is (sd_notify(3)): one datagram to the socket named in NOTIFY_SOCKET. Does nothing elsewhere.
final class SystemdNotification: Sendable {
    private let socketPath: String?
    /// The line that systemd shows now.
    private let line = Mutex("")

    init(environment socketPath: String? = getenv("NOTIFY_SOCKET").map { String(cString: $0) }) {
        self.socketPath = socketPath
    }

    /// Everything serves.
    func ready() { send("READY=1") }
    /// The stop has begun.
    func stopping() { send("STOPPING=1") }
    /// The settings are being read again; ``ready()`` follows.
    func reloading() {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        send("RELOADING=1\nMONOTONIC_USEC=\(Int(now.tv_sec) * 1_000_000 + Int(now.tv_nsec) / 1_000)")
    }
    /// Everything that watches still answers.
    func alive() { send("WATCHDOG=1") }
    /// How often ``alive()`` has to be said: half of what systemd waits for (sd_watchdog_enabled(3)); nil when it does not wait.
    static func watchdogInterval(
        microseconds: String? = getenv("WATCHDOG_USEC").map { String(cString: $0) },
        process: String? = getenv("WATCHDOG_PID").map { String(cString: $0) }
    ) -> Duration? {
        guard let microseconds = microseconds.flatMap({ Int64($0) }), microseconds > 0 else { return nil }
        // Meant for another process that only shares our environment.
        if let process, Int32(process) != getpid() { return nil }
        return .microseconds(microseconds / 2)
    }
    /// One line for `systemctl status`. It may hold words of a server or an authority: whatever would begin another line of the message, or that a terminal
    /// obeys, becomes a blank, and what is long is cut.
    func status(_ text: String) {
        var shown = String(String.UnicodeScalarView(text.unicodeScalars.prefix(400).map { $0.properties.generalCategory == .control ? " " : $0 }))
        if text.unicodeScalars.count > 400 { shown += "..." }
        let isNews = line.withLock { line in
            defer { line = shown }
            return line != shown
        }
        if isNews { send("STATUS=\(shown)") }
    }

    /// Whether somebody listens.
    var isHeard: Bool { socketPath?.isEmpty == false }

    // A lost notification must not stop the servers, so failures end here, and one who does not listen for a second has missed it.
    private func send(_ message: String) {
        guard let socketPath, !socketPath.isEmpty else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var patience = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(socketPath.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        // A leading @ stands for the abstract namespace.
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let text = Array(message.utf8)
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, text, text.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }
}
