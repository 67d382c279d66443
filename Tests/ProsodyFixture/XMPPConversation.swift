import FoundationEssentials
import Glibc

/// One client stream (RFC 6120), written by hand: what is sent, and waiting for a piece of the answer.
public final class XMPPConversation {
    private let handle: Int32
    private let domain: String
    private var received = ""

    /// Connects and opens a stream.
    public init(_ prosody: RunningProsody) throws {
        domain = prosody.domain
        handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard handle >= 0 else { throw FixtureError.system("socket", errno: errno) }
        // Every wait has a deadline.
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(handle, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(prosody.clientPort).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(handle, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard result == 0 else { throw FixtureError.system("connect", errno: errno) }
        _ = try exchange(
            "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='\(domain)'>",
            until: "</stream:features>")
    }

    deinit { close(handle) }

    /// Shows an invitation's token (XEP-0445 §3).
    public func showToken(_ token: String) throws -> String {
        try exchange("<iq type='set' id='token' to='\(domain)'><preauth xmlns='urn:xmpp:pars:0' token='\(token)'/></iq>", until: "id='token'")
    }

    /// Registers in-band (XEP-0077 §3.1).
    public func register(_ username: String, _ password: String) throws -> String {
        try exchange(
            "<iq type='set' id='register' to='\(domain)'><query xmlns='jabber:iq:register'><username>\(username)</username>"
                + "<password>\(password)</password></query></iq>", until: "id='register'")
    }

    /// Logs in with SASL PLAIN (RFC 4616), which only this test's Prosody offers.
    public func logIn(_ username: String, _ password: String) throws -> Bool {
        let text = Data("\0\(username)\0\(password)".utf8).base64EncodedString()
        return try exchange("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>\(text)</auth>", until: "xmpp-sasl")
            .contains("<success")
    }

    /// Sends, and returns what came up to the end of the element in which `mark` stands.
    private func exchange(_ text: String, until mark: String) throws -> String {
        received = ""
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
