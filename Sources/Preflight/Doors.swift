internal import Glibc
internal import Synchronization

/// Listeners of ours on ports where nothing listens yet, so that a connection can be tried: each says a word that nobody can guess, and hangs up.
final class Doors: Sendable {
    /// What whoever connects reads.
    let word: [UInt8] = (0..<16).map { _ in UInt8.random(in: 0x61...0x7a) }
    /// Why a port could not be opened: its errno.
    let refused: [Int: Int32]
    /// The ports that are open.
    let open: Set<Int>
    private let descriptors: [Int32]
    private let isEnded = Mutex(false)

    /// - Parameter addresses: where to listen; none for everywhere.
    init(ports: [Int], addresses: [String]) {
        var (refused, open, descriptors): ([Int: Int32], Set<Int>, [Int32]) = ([:], [], [])
        for port in ports {
            // Everywhere: IPv4 has to work, IPv6 may be absent.
            for address in addresses.isEmpty ? ["0.0.0.0", "::"] : addresses {
                switch Self.listener(address, port) {
                case .success(let descriptor):
                    descriptors.append(descriptor)
                    open.insert(port)
                case .failure(let error):
                    if !(addresses.isEmpty && address == "::") { refused[port] = error.errno }
                }
            }
        }
        (self.refused, self.open, self.descriptors) = (refused, open, descriptors)
    }

    deinit {
        for descriptor in descriptors { close(descriptor) }
    }

    /// Answers until ``end()``. Blocks its thread.
    func run() {
        var waiting = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while !isEnded.withLock({ $0 }) {
            guard poll(&waiting, nfds_t(waiting.count), 500) > 0 else { continue }
            for one in waiting where one.revents & Int16(POLLIN) != 0 {
                let guest = accept(one.fd, nil, nil)
                guard guest >= 0 else { continue }
                _ = send(guest, word, word.count, Int32(MSG_NOSIGNAL))
                close(guest)
            }
        }
    }

    func end() {
        isEnded.withLock { $0 = true }
        // Wakes whoever waits for guests there.
        for descriptor in descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    struct Refusal: Error { var errno: Int32 }

    private static func listener(_ address: String, _ port: Int) -> Result<Int32, Refusal> {
        withSocketAddress(address, port) { pointer, size, family -> Result<Int32, Refusal> in
            let descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
            guard descriptor >= 0 else { return .failure(Refusal(errno: errno)) }
            var one: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
            if family == AF_INET6 { setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &one, socklen_t(MemoryLayout<Int32>.size)) }
            guard bind(descriptor, pointer, size) == 0, listen(descriptor, 16) == 0 else {
                let reason = errno
                close(descriptor)
                return .failure(Refusal(errno: reason))
            }
            return .success(descriptor)
        } ?? .failure(Refusal(errno: EINVAL))
    }
}

/// An address and a port as the kernel wants them; nil when the text is no address.
func withSocketAddress<Value>(
    _ address: String, _ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t, _ family: Int32) -> Value
) -> Value? {
    var six = sockaddr_in6()
    if inet_pton(AF_INET6, address, &six.sin6_addr) == 1 {
        six.sin6_family = sa_family_t(AF_INET6)
        six.sin6_port = in_port_t(port).bigEndian
        return withUnsafePointer(to: &six) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in6>.size), AF_INET6) }
        }
    }
    var four = sockaddr_in()
    guard inet_pton(AF_INET, address, &four.sin_addr) == 1 else { return nil }
    four.sin_family = sa_family_t(AF_INET)
    four.sin_port = in_port_t(port).bigEndian
    return withUnsafePointer(to: &four) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size), AF_INET) }
    }
}
