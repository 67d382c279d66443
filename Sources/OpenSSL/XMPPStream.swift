/// The begin of an XMPP stream (RFC 6120 §4), as far as a look at it needs.
enum XMPPStream {
    /// Opens a stream; what the server said, up to the end of its features.
    ///
    static func open(over connection: borrowing some ByteStream & ~Copyable, as kind: StartTLS, to domain: String) throws(ProbeError) -> String {
        try connection.write(
            Array(
                ("<?xml version='1.0'?><stream:stream to='\(domain)' xmlns='\(kind.namespace)'"
                    + " xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>").utf8))
        let answer = try received(on: connection) { text in
            ["</stream:features>", "<stream:features/>", "</stream:stream>"].contains { text.contains($0) }
        }
        if let error = answer.split(separator: "<stream:error>").dropFirst().first {
            // The condition is the first element in it, with nothing before it.
            throw .streamError(String(error.drop { $0 == "<" }.prefix { $0.isLetter || $0 == "-" }.prefix(64)))
        }
        guard answer.contains("stream:features") else { throw .closed }
        return answer
    }

    /// Says that it was all.
    static func close(_ connection: borrowing some ByteStream & ~Copyable) {
        // What the server thinks of it does not matter any more.
        try? connection.write(Array("</stream:stream>".utf8))
    }

    static func received(
        on connection: borrowing some ByteStream & ~Copyable, until isComplete: (String) -> Bool
    ) throws(ProbeError) -> String {
        var bytes: [UInt8] = []
        // What a server says at the begin is short; more than this is no XMPP server.
        while bytes.count < 65536 {
            bytes += try connection.read()
            let text = String(decoding: bytes, as: UTF8.self)
            if isComplete(text) { return text }
        }
        throw .nonsense
    }

    /// The mechanisms of SASL (RFC 6120 §6.3.3) and SASL2 (XEP-0388) that features offer.
    static func mechanisms(in features: String) -> [String] {
        features.split(separator: "<").compactMap { $0.hasPrefix("mechanism>") ? String($0.dropFirst("mechanism>".count)) : nil }
    }
}
