import Glibc
import Synchronization

/// Ports that another test of this process is about to use.
private let handedOut = Mutex<Set<Int>>([])

/// TCP on 127.0.0.1, as tests need it.
public enum Loopback {
    /// A port that nothing listens on at the moment. Below the range that the kernel takes for outgoing connections: those
    /// of other tests would come in between.
    public static func freePort() throws -> Int {
        for _ in 1...200 {
            let port = Int.random(in: 10_000..<18_000)
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            var address = self.address(port)
            let result = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
            }
            if result == 0, handedOut.withLock({ $0.insert(port).inserted }) { return port }
        }
        throw LoopbackError(port: 0, errno: EADDRINUSE)
    }

    /// Sends a request and returns everything that comes back until the end, or throws when nobody is there.
    @discardableResult
    public static func exchange(port: Int, _ request: String) throws -> String {
        let descriptor = try connected(port)
        defer { close(descriptor) }
        let bytes = Array(request.utf8)
        guard send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { throw LoopbackError(port: port, errno: errno) }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = recv(descriptor, &buffer, buffer.count, 0), count > 0 { answer += buffer.prefix(count) }
        return String(decoding: answer, as: UTF8.self)
    }

    /// Waits until somebody accepts connections on the port.
    public static func waitUntilOpen(_ port: Int, within limit: Duration = .seconds(60)) async throws {
        let deadline = ContinuousClock.now + limit
        while true {
            do {
                close(try connected(port))
                return
            } catch {
                guard ContinuousClock.now < deadline else { throw error }
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }

    private static func connected(_ port: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = self.address(port)
        // No test waits longer for one answer.
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard result == 0 else {
            let reason = errno
            close(descriptor)
            throw LoopbackError(port: port, errno: reason)
        }
        return descriptor
    }

    private static func address(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }
}

/// A connection to this port of loopback failed.
public struct LoopbackError: Error {
    public var port: Int
    public var errno: Int32
}
