/// How TLS is asked for on a connection that begins in the clear (RFC 6120 §5).
public enum StartTLS: String, Sendable, CaseIterable {
    /// A client's stream.
    case xmppClient = "xmpp-client"
    /// A server's stream.
    case xmppServer = "xmpp-server"

    /// Opens the stream, asks for TLS and waits for `proceed`.
    func negotiate(on connection: borrowing TCPConnection, name: String) throws(ProbeError) {
        let namespace = self == .xmppClient ? "jabber:client" : "jabber:server"
        try connection.write(
            "<?xml version='1.0'?><stream:stream to='\(name)' xmlns='\(namespace)'"
                + " xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>")
        let features = try received(on: connection) {
            $0.contains("</stream:features>") || $0.contains("<stream:features/>") || $0.contains("</stream:stream>")
        }
        guard features.contains("urn:ietf:params:xml:ns:xmpp-tls") else { throw .noStartTLS }
        try connection.write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        let answer = try received(on: connection) { $0.hasSuffix(">") }
        guard answer.contains("<proceed") else { throw .noStartTLS }
    }

    private func received(
        on connection: borrowing TCPConnection, until isComplete: (String) -> Bool
    ) throws(ProbeError) -> String {
        var bytes: [UInt8] = []
        // What a server says before TLS is short; more than this is no XMPP server.
        while bytes.count < 65536 {
            bytes += try connection.read()
            let text = String(decoding: bytes, as: UTF8.self)
            if isComplete(text) { return text }
        }
        throw .noStartTLS
    }
}
