public import LocalHTTP
public import NIOCore
public import NIOPosix

/// Does an XMPP server open a stream (RFC 6120 §4) and insist on encryption (§5)?
public struct XMPPProbe: Probe {
    /// Whom the port is for.
    public enum Kind: Sendable {
        /// Clients, port 5222.
        case client
        /// Other servers, port 5269.
        case server

        var namespace: String { self == .client ? "jabber:client" : "jabber:server" }
    }

    /// Where it listens.
    public var target: LocalHTTPClient.Target
    /// The XMPP domain that it serves, in ASCII.
    public var domain: String
    /// Whom the port is for.
    public var kind: Kind
    /// How long everything may take.
    public var deadline: Duration
    private let group: any EventLoopGroup

    public init(
        target: LocalHTTPClient.Target, domain: String, kind: Kind = .client, deadline: Duration = .seconds(3),
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) {
        self.target = target
        self.domain = domain
        self.kind = kind
        self.deadline = deadline
        self.group = group
    }

    public func check() async throws(ProbeFailure) {
        let header = """
            <?xml version='1.0'?><stream:stream to='\(Self.escaped(domain))' version='1.0' xmlns='\(kind.namespace)' \
            xmlns:stream='http://etherx.jabber.org/streams'>
            """
        try await Conversation.hold(with: target, saying: Array(header.utf8), deadline: deadline, on: group) { Self.judge($0) }
    }

    /// Looks at the answer so far: a stream header, then features with a required STARTTLS, or an error.
    static func judge(_ bytes: [UInt8]) -> Verdict {
        let tags = String(decoding: bytes, as: UTF8.self).split(separator: "<", omittingEmptySubsequences: false).dropFirst()
            .compactMap { tag in tag.firstIndex(of: ">").map { tag.name(until: $0) } }
        guard let first = tags.first(where: { !$0.hasPrefix("?") }) else {
            // What is no XML does not become it by waiting.
            let isText = bytes.allSatisfy { $0 >= 0x20 || $0 == 0x0a || $0 == 0x0d || $0 == 0x09 }
            return isText && (bytes.first == UInt8(ascii: "<") || bytes.isEmpty) ? .more : .bad(.unexpected("something that is no XMPP"))
        }
        guard first == "stream:stream" else { return .bad(.unexpected("<\(first)> instead of a stream")) }
        if let error = tags.firstIndex(of: "stream:error") {
            let rest = tags[(error + 1)...]
            return rest.contains("/stream:error") ? .bad(.unexpected("the stream error \(rest.first ?? "unknown")")) : .more
        }
        guard tags.contains("/stream:features") || tags.contains("/stream:stream") else { return .more }
        guard let tls = tags.firstIndex(of: "starttls") else { return .bad(.unexpected("a stream without STARTTLS")) }
        guard tags[(tls + 1)...].first == "required" else { return .bad(.unexpected("a stream that does not require STARTTLS")) }
        return .good
    }

    private static func escaped(_ text: String) -> String {
        String(
            text.flatMap { character -> String in
                switch character {
                case "&": "&amp;"
                case "'": "&apos;"
                case "<": "&lt;"
                default: String(character)
                }
            })
    }
}

extension Substring {
    /// The name of a tag whose "<" is gone: up to a blank or the end; "/" at the end of an empty one does not count.
    fileprivate func name(until end: Index) -> String {
        let name = self[..<end].prefix { !$0.isWhitespace }
        return String(name.last == "/" ? name.dropLast() : name)
    }
}
