internal import Glibc

/// DNS over TCP (RFC 1035 §4.2.2). Blocks its thread.
public enum DNSConnection {
    /// One message each way.
    ///
    /// - Parameters:
    ///   - server: its address with the port, `192.0.2.1:53` or `[2001:db8::1]:53`.
    ///   - seconds: the most that each step may take.
    public static func exchange(_ message: [UInt8], with server: String, seconds: Int = 10) throws(DNSError) -> [UInt8] {
        let descriptor = try connected(to: server, SOCK_STREAM, seconds: seconds)
        defer { close(descriptor) }
        var framed = DNSWriter()
        framed.write(UInt16(message.count))
        framed.write(message)
        var rest = framed.bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            // A socket with a time limit is interrupted by any signal (signal(7)).
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .connection(errno: errno) }
            rest = rest.dropFirst(count)
        }
        let length = try read(2, from: descriptor)
        return try read(Int(length[0]) << 8 | Int(length[1]), from: descriptor)
    }

    private static func read(_ wanted: Int, from descriptor: Int32) throws(DNSError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: wanted)
        var have = 0
        while have < wanted {
            let count = bytes.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress?.advanced(by: have), wanted - have, 0) }
            if count < 0, errno == EINTR { continue }
            // 0: the server hung up; ECONNRESET says the same.
            guard count > 0 else { throw .connection(errno: count == 0 ? ECONNRESET : errno) }
            have += count
        }
        return bytes
    }

    /// A socket whose steps take no longer than this. The caller closes it.
    static func connected(to text: String, _ kind: __socket_type, seconds: Int) throws(DNSError) -> Int32 {
        guard let colon = text.lastIndex(of: ":"), UInt16(text[text.index(after: colon)...]) != nil else { throw .badAddress }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        hints.ai_socktype = Int32(kind.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(text[text.index(after: colon)...]), &hints, &list) == 0, let list else { throw .badAddress }
        defer { freeaddrinfo(list) }
        let descriptor = socket(list.pointee.ai_family, Int32(kind.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .connection(errno: errno) }
        // For connecting as well: Linux applies the sending limit to it.
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] { setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size)) }
        guard connect(descriptor, list.pointee.ai_addr, list.pointee.ai_addrlen) == 0 else {
            let reason = errno
            close(descriptor)
            throw .connection(errno: reason)
        }
        return descriptor
    }
}
