internal import Glibc

/// A question to a DNS server (RFC 1035 §4.1), over UDP, and over TCP when the answer does not fit or none comes.
public struct DNSQuery: Sendable {
    /// Types of records (RFC 1035 §3.2.2, RFC 3596 §2.1, RFC 2782, RFC 8659 §4).
    public enum Kind: UInt16, Sendable {
        case address = 1, nameServer = 2, alias = 5, start = 6, text = 16, address6 = 28, service = 33, issuers = 257
    }

    /// With or without a dot at its end.
    public var name: String
    public var kind: Kind
    /// Whether the server is to ask others: for resolvers.
    public var isRecursive: Bool

    public init(name: String, kind: Kind, isRecursive: Bool) {
        (self.name, self.kind, self.isRecursive) = (name, kind, isRecursive)
    }

    /// Asks, and asks again when no answer comes, the last time over TCP. Blocks its thread, at most seven seconds.
    public func ask(_ server: String) throws(DNSError) -> DNSResponse {
        for _ in 1...2 {
            do throws(DNSError) {
                return try askOnce(server, seconds: 2)
            } catch {
                // Silence only: whoever refuses a datagram has no DNS server.
                guard case .connection(EAGAIN) = error else { throw error }
            }
        }
        return try stream(server, seconds: 3)
    }

    /// Asks once; over TCP when the answer does not fit into a datagram. Blocks its thread.
    ///
    /// - Parameter seconds: the most that each of these takes.
    public func askOnce(_ server: String, seconds: Int) throws(DNSError) -> DNSResponse {
        let response = try datagram(server, seconds: seconds)
        return response.isTruncated ? try stream(server, seconds: seconds) : response
    }

    private func stream(_ server: String, seconds: Int) throws(DNSError) -> DNSResponse {
        let message = message(id: .random(in: .min ... .max))
        return try DNSResponse(try DNSConnection.exchange(message, with: server, seconds: seconds), to: message)
    }

    private func message(id: UInt16) -> [UInt8] {
        var writer = DNSWriter()
        writer.write(header: id, flags: isRecursive ? 0x0100 : 0, [1, 0, 0, 0])
        writer.write(name: name)
        for value in [kind.rawValue, 1] { writer.write(value) }
        return writer.bytes
    }

    /// One datagram each way. From a port that the kernel chose and with an id that nobody can guess (RFC 5452 §9).
    private func datagram(_ server: String, seconds: Int) throws(DNSError) -> DNSResponse {
        let descriptor = try DNSConnection.connected(to: server, SOCK_DGRAM, seconds: seconds)
        defer { close(descriptor) }
        let message = message(id: .random(in: .min ... .max))
        guard send(descriptor, message, message.count, Int32(MSG_NOSIGNAL)) == message.count else { throw .connection(errno: errno) }
        let deadline = ContinuousClock.now + .seconds(seconds)
        var buffer = [UInt8](repeating: 0, count: 4096)
        while ContinuousClock.now < deadline {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            // A socket with a time limit is interrupted by any signal (signal(7)).
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .connection(errno: errno) }
            // What answers another question is not for us.
            if let response = try? DNSResponse(Array(buffer.prefix(count)), to: message) { return response }
        }
        throw .connection(errno: EAGAIN)
    }
}
