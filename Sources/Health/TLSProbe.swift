public import LocalHTTP
public import NIOCore
public import NIOPosix

/// Does a TLS server answer a handshake? Says nothing about its certificate: the handshake ends with the server's first message.
public struct TLSProbe: Probe {
    /// Where it listens.
    public var target: LocalHTTPClient.Target
    /// The name in the server name indication (RFC 6066 §3), in ASCII.
    public var name: String
    /// The protocols offered (RFC 7301): `h2`, `http/1.1`, `xmpp-client`.
    public var protocols: [String]
    /// Whether to say first who the connection is from (the PROXY protocol): nobody in particular.
    public var isAnnounced: Bool
    /// How long everything may take.
    public var deadline: Duration
    private let group: any EventLoopGroup

    public init(
        target: LocalHTTPClient.Target, name: String, protocols: [String] = ["h2", "http/1.1"], isAnnounced: Bool = false,
        deadline: Duration = .seconds(3),
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) {
        self.target = target
        self.name = name
        self.protocols = protocols
        self.isAnnounced = isAnnounced
        self.deadline = deadline
        self.group = group
    }

    public func check() async throws(ProbeFailure) {
        let hello = ClientHello(name: name, protocols: protocols).record
        try await Conversation.hold(with: target, saying: (isAnnounced ? Array("PROXY UNKNOWN\r\n".utf8) : []) + hello, deadline: deadline, on: group)
        { Self.judge($0) }
    }

    /// Looks at the answer so far: a record (RFC 8446 §5.1) that holds a ServerHello, or an alert.
    static func judge(_ bytes: [UInt8]) -> Verdict {
        let (handshake, alert): (UInt8, UInt8) = (22, 21)
        guard let type = bytes.first else { return .more }
        guard type == handshake || type == alert, bytes.count < 2 || bytes[1] == 3 else {
            return .bad(.unexpected("something that is no TLS"))
        }
        if type == alert { return bytes.count < 7 ? .more : .bad(.unexpected("the TLS alert \(bytes[6])")) }
        guard bytes.count >= 6 else { return .more }
        // 2 is server_hello (RFC 8446 §4). Half of it is half an answer.
        guard bytes[5] == 2 else { return .bad(.unexpected("the TLS handshake message \(bytes[5])")) }
        let length = Int(bytes[3]) << 8 | Int(bytes[4])
        return bytes.count >= 5 + length ? .good : .more
    }
}
