/// Every port that something of ours listens on. Two values: the public defaults, and a block of consecutive
/// unprivileged ones for `snikket try` and tests.
public struct Ports: Sendable, Equatable {
    /// HTTP (RFC 9110), for challenges and redirects.
    public var http = 80
    /// HTTPS.
    public var https = 443
    /// XMPP clients, STARTTLS (RFC 6120).
    public var xmppClient = 5222
    /// XMPP clients, direct TLS (XEP-0368).
    public var xmppClientTLS = 5223
    /// XMPP servers, STARTTLS (RFC 6120).
    public var xmppServer = 5269
    /// XMPP servers, direct TLS (XEP-0368).
    public var xmppServerTLS = 5270
    /// File transfer proxy (XEP-0065).
    public var proxy65 = 5000
    /// STUN and TURN, UDP and TCP (RFC 8656).
    public var turn = 3478
    /// TURN over TLS.
    public var turnTLS = 5349
    /// The chat server's HTTP, loopback only.
    public var internalHTTP = 5280

    /// Where the chat server takes apps that have come in on the HTTPS port, loopback only.
    public var clientFront = 5224
    /// Where it takes other servers that have come in there, loopback only.
    public var serverFront = 5271

    public init() {}

    /// A block of consecutive ports.
    ///
    /// - Parameter first: the lowest; ``blockSize`` ports from there on are used, the TURN relay's not among them.
    public init(from first: Int) {
        http = first
        https = first + 1
        xmppClient = first + 2
        xmppClientTLS = first + 3
        xmppServer = first + 4
        xmppServerTLS = first + 5
        proxy65 = first + 6
        turn = first + 7
        turnTLS = first + 8
        internalHTTP = first + 9
        clientFront = first + 10
        serverFront = first + 11
    }

    /// How many ports ``init(from:)`` uses.
    public static let blockSize = 12
}
