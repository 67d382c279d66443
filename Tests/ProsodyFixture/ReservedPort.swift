import Glibc

/// A TCP port of 127.0.0.1 that is nobody else's for as long as this lives, and that a server which sets SO_REUSEADDR can listen on.
///
/// A port that was merely free a moment ago is not enough: another test, or a connection of another program, may have it when the server comes.
public final class ReservedPort: Sendable {
    /// The port.
    public let number: Int
    private let handle: Int32

    /// Takes one below the range that the kernel uses for outgoing connections, and apart from what Loopback and RealServers hand out.
    public init() throws {
        for _ in 1...200 {
            let port = Int.random(in: 18_000..<25_000)
            let handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard handle >= 0 else { throw FixtureError.system("socket", errno: errno) }
            // Bound without SO_REUSEADDR it is ours alone; with it set afterwards, a server that sets it too may share it.
            var isOn: Int32 = 1
            if bindLoopback(handle, port) == 0, setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &isOn, socklen_t(MemoryLayout<Int32>.size)) == 0 {
                (self.number, self.handle) = (port, handle)
                return
            }
            close(handle)
        }
        throw FixtureError.system("bind", errno: EADDRINUSE)
    }

    deinit { close(handle) }
}

/// A port that nothing listens on at the moment, for tests where nothing shall.
public func freePort() throws -> Int { try ReservedPort().number }

/// As bind(2).
func bindLoopback(_ handle: Int32, _ port: Int) -> Int32 { withLoopback(port) { bind(handle, $0, $1) } }

/// As connect(2).
func connectLoopback(_ handle: Int32, _ port: Int) -> Int32 { withLoopback(port) { connect(handle, $0, $1) } }

private func withLoopback(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
}
