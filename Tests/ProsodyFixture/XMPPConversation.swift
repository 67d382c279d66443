import Dispatch
import FoundationEssentials
import Glibc

/// One client stream (RFC 6120), written by hand: what is sent, and waiting for a piece of the answer.
///
/// Its socket waits on a thread of its own, never on one of the few that all tests share.
public final class XMPPConversation: Sendable {
    private let handle: Int32
    private let domain: String
    private let queue = DispatchQueue(label: "XMPPConversation")

    /// Connects and opens a stream.
    public init(_ prosody: RunningProsody) async throws {
        domain = prosody.domain
        handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard handle >= 0 else { throw FixtureError.system("socket", errno: errno) }
        // Every wait has a deadline.
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(handle, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        // Loopback connects at once, or not at all.
        guard connectLoopback(handle, prosody.clientPort) == 0 else { throw FixtureError.system("connect", errno: errno) }
        _ = try await exchange(
            "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='\(domain)'>",
            until: "</stream:features>")
    }

    deinit { close(handle) }

    /// Shows an invitation's token (XEP-0445 §3).
    public func showToken(_ token: String) async throws -> String {
        try await exchange("<iq type='set' id='token' to='\(domain)'><preauth xmlns='urn:xmpp:pars:0' token='\(token)'/></iq>", until: "id='token'")
    }

    /// Registers in-band (XEP-0077 §3.1).
    public func register(_ username: String, _ password: String) async throws -> String {
        try await exchange(
            "<iq type='set' id='register' to='\(domain)'><query xmlns='jabber:iq:register'><username>\(username)</username>"
                + "<password>\(password)</password></query></iq>", until: "id='register'")
    }

    /// Logs in with SASL PLAIN (RFC 4616), which only this test's Prosody offers.
    public func logIn(_ username: String, _ password: String) async throws -> Bool {
        let text = Data("\0\(username)\0\(password)".utf8).base64EncodedString()
        return try await exchange("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>\(text)</auth>", until: "xmpp-sasl")
            .contains("<success")
    }

    /// Sends, and returns what came up to the end of the element in which `mark` stands.
    private func exchange(_ text: String, until mark: String) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try self.blockingExchange(text, until: mark) }) }
        }
    }

    private func blockingExchange(_ text: String, until mark: String) throws -> String {
        var received = ""
        let bytes = Array(text.utf8)
        guard send(handle, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { throw FixtureError.system("send", errno: errno) }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !(received.replacing("\"", with: "'").contains(mark) && received.hasSuffix(">")) {
            let count = recv(handle, &buffer, buffer.count, 0)
            guard count > 0 else { throw count == 0 ? FixtureError.closed : FixtureError.tooLate(received) }
            received += String(decoding: buffer[..<count], as: UTF8.self)
        }
        return received.replacing("\"", with: "'")
    }
}
