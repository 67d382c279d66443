/// How TLS is asked for on a connection that begins in the clear (RFC 6120 §5).
public enum StartTLS: String, Sendable, CaseIterable {
    /// A client's stream.
    case xmppClient = "xmpp-client"
    /// A server's stream.
    case xmppServer = "xmpp-server"

    /// Opens the stream, asks for TLS and waits for `proceed`.
    func negotiate(on connection: borrowing Connection, name: String) throws(ProbeError) {
        let features = try XMPPStream.open(over: connection, as: self, to: name)
        guard features.contains("urn:ietf:params:xml:ns:xmpp-tls") else { throw .noStartTLS }
        try connection.write(Array("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>".utf8))
        let answer = try XMPPStream.received(on: connection) { $0.hasSuffix(">") }
        guard answer.contains("<proceed") else { throw .noStartTLS }
    }

    var namespace: String { self == .xmppClient ? "jabber:client" : "jabber:server" }
    /// What is asked for by ALPN when TLS comes first (XEP-0368).
    var alpn: String { rawValue }
}
