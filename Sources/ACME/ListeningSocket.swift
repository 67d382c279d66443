internal import Glibc

/// A listening socket, TCP or Unix, that does not block. Whoever accepts from it closes it.
package struct ListeningSocket: Sendable {
    package let descriptor: Int32

    /// The path of a Unix socket, to be removed at the end; nil for TCP.
    package let path: String?

    /// - Parameter text: `192.0.2.1:80`, `[::]:80`, `:80` for all addresses, or `unix:/path`.
    package init(_ text: String) throws(ChallengeError) {
        if text.hasPrefix("unix:/") {
            let path = String(text.dropFirst(5))
            self.path = path
            descriptor = try unixSocket(at: path)
            return
        }
        path = nil
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else { throw .badAddress(text) }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        if host.isEmpty { host = "::" }
        var four = sockaddr_in()
        var six = sockaddr_in6()
        let isFour = inet_pton(AF_INET, host, &four.sin_addr) == 1
        guard isFour || inet_pton(AF_INET6, host, &six.sin6_addr) == 1 else { throw .badAddress(text) }
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        descriptor = Glibc.socket(isFour ? AF_INET : AF_INET6, kind, 0)
        guard descriptor >= 0 else { throw .listen(address: text, errno: errno) }
        var (yes, no): (Int32, Int32) = (1, 0)
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        let bound: Int32
        if isFour {
            four.sin_family = sa_family_t(AF_INET)
            four.sin_port = port.bigEndian
            bound = withUnsafePointer(to: &four) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
            }
        } else {
            // `[::]` means IPv4 as well, whatever the system's default is.
            setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &no, socklen_t(MemoryLayout<Int32>.size))
            six.sin6_family = sa_family_t(AF_INET6)
            six.sin6_port = port.bigEndian
            bound = withUnsafePointer(to: &six) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) }
            }
        }
        guard bound == 0, listen(descriptor, 64) == 0 else {
            let reason = errno
            close(descriptor)
            throw .listen(address: text, errno: reason)
        }
    }
}

/// Listens on a Unix socket that everybody may connect to who can enter its folder: that decides who may.
private func unixSocket(at path: String) throws(ChallengeError) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    // With a zero at its end (unix(7)).
    guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else { throw .listen(address: path, errno: ENAMETOOLONG) }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    var facts = stat()
    // What a killed run left behind. Nothing but a socket is removed.
    if lstat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFSOCK { unlink(path) }
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw .listen(address: path, errno: errno) }
    let bound = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
    guard bound == 0, chmod(path, 0o666) == 0, listen(descriptor, 64) == 0 else {
        let reason = errno
        close(descriptor)
        throw .listen(address: path, errno: reason)
    }
    return descriptor
}
