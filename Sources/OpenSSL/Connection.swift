internal import Glibc

/// What bytes go over: a connection, or the encryption around it. Nothing blocks past the connection's deadline.
protocol ByteStream: ~Copyable {
    /// Sends all of it.
    func write(_ bytes: [UInt8]) throws(ProbeError)
    /// What has arrived; waits for at least a byte.
    func read() throws(ProbeError) -> [UInt8]
}

/// A connection that never blocks past its deadline, owned.
struct Connection: ~Copyable, ByteStream {
    /// The protocol above IP.
    enum Transport {
        case tcp, udp

        fileprivate var type: Int32 { Int32((self == .tcp ? SOCK_STREAM : SOCK_DGRAM).rawValue) }
    }

    let descriptor: Int32
    private let deadline: ContinuousClock.Instant

    private init(descriptor: Int32, deadline: ContinuousClock.Instant) {
        self.descriptor = descriptor
        self.deadline = deadline
    }

    /// Connects to `192.0.2.1:443` or `[2001:db8::1]:443`.
    static func connected(to text: String, over transport: Transport = .tcp, milliseconds: Int) throws(ProbeError) -> Connection {
        var (address, length, family) = try socketAddress(text)
        let descriptor = socket(family, transport.type | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .connect(errno: errno) }
        let connection = Connection(descriptor: descriptor, deadline: .now + .milliseconds(milliseconds))
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, length) }
        }
        if result == 0 { return connection }
        guard errno == EINPROGRESS else { throw .connect(errno: errno) }
        try connection.wait(for: POLLOUT)
        var failure: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &size)
        guard failure == 0 else { throw .connect(errno: failure) }
        return connection
    }

    deinit { close(descriptor) }

    /// Waits until the socket is ready, or the deadline has passed.
    func wait(for events: Int32) throws(ProbeError) {
        _ = try wait(for: events, atMost: .max)
    }

    /// Waits until the socket is ready, or the deadline has passed; false when it is not ready after this time.
    func wait(for events: Int32, atMost milliseconds: Int32) throws(ProbeError) -> Bool {
        while true {
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero else { throw .timedOut }
            var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            let untilDeadline = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000 + 1
            let count = poll(&entry, 1, min(Int32(clamping: untilDeadline), milliseconds))
            if count > 0 { return true }
            if count < 0, errno != EINTR { throw .connect(errno: errno) }
            if count == 0, milliseconds < untilDeadline { return false }
        }
    }

    func write(_ bytes: [UInt8]) throws(ProbeError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN || errno == EINTR {
                try wait(for: POLLOUT)
            } else {
                throw .connect(errno: errno)
            }
        }
    }

    func read() throws(ProbeError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count > 0 { return Array(buffer.prefix(count)) }
            if count == 0 { throw .closed }
            guard errno == EAGAIN || errno == EINTR else { throw .connect(errno: errno) }
            try wait(for: POLLIN)
        }
    }
}

private func socketAddress(_ text: String) throws(ProbeError) -> (sockaddr_storage, socklen_t, Int32) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else { throw .badAddress(text) }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    var storage = sockaddr_storage()
    return try withUnsafeMutablePointer(to: &storage) { pointer throws(ProbeError) in
        let raw = UnsafeMutableRawPointer(pointer)
        let four = raw.assumingMemoryBound(to: sockaddr_in.self)
        if inet_pton(AF_INET, host, &four.pointee.sin_addr) == 1 {
            four.pointee.sin_family = sa_family_t(AF_INET)
            four.pointee.sin_port = port.bigEndian
            return (pointer.pointee, socklen_t(MemoryLayout<sockaddr_in>.size), AF_INET)
        }
        let six = raw.assumingMemoryBound(to: sockaddr_in6.self)
        guard inet_pton(AF_INET6, host, &six.pointee.sin6_addr) == 1 else { throw .badAddress(text) }
        six.pointee.sin6_family = sa_family_t(AF_INET6)
        six.pointee.sin6_port = port.bigEndian
        return (pointer.pointee, socklen_t(MemoryLayout<sockaddr_in6>.size), AF_INET6)
    }
}
