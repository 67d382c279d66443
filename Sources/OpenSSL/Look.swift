internal import Glibc

/// What is to be seen at an endpoint.
public enum Scene: Sendable, Equatable {
    /// An app's XMPP stream (RFC 6120) inside TLS, with the SASL mechanisms that are offered there.
    case clients(domain: String, isDirect: Bool)
    /// The same by STARTTLS, and then logging in with a name and a password.
    case login(domain: String, username: String, password: String)
    /// Another server's XMPP stream up to and with TLS. Inside it whoever shows no certificate of a server is turned away, with a warning in the log.
    case servers(domain: String, isDirect: Bool)
    /// A web page of that path (RFC 9110): there, and HTML.
    case page(path: String)
    /// A place for uploads (XEP-0363): it refuses what comes without a slot's token, and nothing is stored.
    case upload(path: String)
    /// A relay address (RFC 8656), had with credentials of that secret and given back.
    case relay(secret: String, over: RelayTransport)
    /// A port on which somebody listens. No more is asked there.
    case port
}

/// What a relay is asked over (RFC 8656 §2.1).
public enum RelayTransport: Sendable {
    case udp, tcp, tls
}

/// What was seen.
public struct Sight: Sendable {
    /// The certificate that is served; nil when there was none to see.
    public var certificate: Certificate?
    /// What is not as it should be; nil when everything is.
    public var fault: Fault?

    /// What is not as it should be.
    public enum Fault: Sendable, Equatable {
        /// No answer, or none that can be understood.
        case connection(ProbeError)
        /// A stream that offers no way to log in with a password (RFC 5802); these are offered.
        case noSCRAM(offered: [String])
        /// The account cannot log in: the condition (RFC 6120 §6.5).
        case loginRefused(String)
        /// Direct TLS without the protocol that was asked for by ALPN (XEP-0368 §3).
        case noALPN
        /// An HTTP status that it should not be.
        case status(Int)
        /// A page that is no HTML.
        case noHTML
        /// The TURN server refuses (RFC 8489 §14.8): its error code.
        case refused(code: Int)
        /// The TURN server's answer holds no relay address.
        case noRelay
        /// The TURN server relays for anybody.
        case open
    }
}

/// Looks at an endpoint the way a client does, as far as it goes.
///
/// - Parameters:
///   - address: an IPv4 address, or an IPv6 one in brackets, then `:` and the port.
///   - name: the host name: for TLS and HTTP.
///   - milliseconds: for everything together.
///   - now: seconds since 1970.
///   - isPlain: whether a page or a place for uploads is there without TLS.
///   - isAnnounced: whether it wants to be told first who the connection is from (the PROXY protocol).
public func look(
    at scene: Scene, address: String, name: String, milliseconds: Int, now: Int, isPlain: Bool = false, isAnnounced: Bool = false
) -> Sight {
    // OpenSSL writes to sockets whose other end may have gone.
    signal(SIGPIPE, SIG_IGN)
    var sight = Sight()
    do throws(ProbeError) {
        let way = Way(isPlain: isPlain, isAnnounced: isAnnounced)
        sight.fault = try look(at: scene, address, name, milliseconds, now, by: way, seen: &sight.certificate)
    } catch {
        sight.fault = .connection(error)
    }
    return sight
}

private struct Way {
    var isPlain: Bool
    var isAnnounced: Bool
}

private func look(
    at scene: Scene, _ address: String, _ name: String, _ milliseconds: Int, _ now: Int, by way: Way, seen certificate: inout Certificate?
) throws(ProbeError) -> Sight.Fault? {
    if case .relay(let secret, over: .udp) = scene {
        let connection = try Connection.connected(to: address, over: .udp, milliseconds: milliseconds)
        return try RelayLook(secret: secret, now: now).fault { request, read throws(ProbeError) in try connection.answer(toDatagram: request, read) }
    }
    let connection = try Connection.connected(to: address, milliseconds: milliseconds)
    if way.isAnnounced { try connection.write(Array("PROXY UNKNOWN\r\n".utf8)) }
    if way.isPlain, let request = scene.request {
        return request.fault(try HTTPAnswer(to: request.method, request.path, host: name, over: connection))
    }
    if case .port = scene { return nil }
    if case .relay(let secret, over: .tcp) = scene {
        return try RelayLook(secret: secret, now: now).fault { request, read throws(ProbeError) in try connection.answer(to: request, read) }
    }
    var protocols: [String] = []
    switch scene {
    case .clients(let domain, isDirect: false), .login(let domain, _, _): try StartTLS.xmppClient.negotiate(on: connection, name: domain)
    case .clients(_, isDirect: true): protocols = [StartTLS.xmppClient.alpn]
    case .servers(_, isDirect: true): protocols = [StartTLS.xmppServer.alpn]
    case .servers(let domain, isDirect: false): try StartTLS.xmppServer.negotiate(on: connection, name: domain)
    case .page, .upload: protocols = ["http/1.1"]
    case .relay, .port: break
    }
    let session = try TLSSession.established(over: connection, name: name, protocols: protocols)
    certificate = try session.certificate()
    switch scene {
    case .clients(let domain, let isDirect):
        if isDirect, session.agreedProtocol != StartTLS.xmppClient.alpn { return .noALPN }
        let features = try XMPPStream.open(over: session, as: .xmppClient, to: domain)
        XMPPStream.close(session)
        let mechanisms = XMPPStream.mechanisms(in: features)
        return mechanisms.contains { $0.hasPrefix("SCRAM-") } ? nil : .noSCRAM(offered: mechanisms)
    case .login(let domain, let username, let password):
        let features = try XMPPStream.open(over: session, as: .xmppClient, to: domain)
        defer { XMPPStream.close(session) }
        return try Login(username: username, password: password).fault(over: session, offered: features)
    case .servers(_, let isDirect): return isDirect && session.agreedProtocol != StartTLS.xmppServer.alpn ? .noALPN : nil
    case .port: return nil
    case .page, .upload:
        guard let request = scene.request else { return nil }
        return request.fault(try HTTPAnswer(to: request.method, request.path, host: name, over: session))
    case .relay(let secret, _):
        return try RelayLook(secret: secret, now: now).fault { request, read throws(ProbeError) in try session.answer(to: request, read) }
    }
}

/// What is asked of a web server, and what its answer has to be.
private struct WebRequest {
    var method: String
    var path: String
    var status: Int
    var isPage: Bool

    func fault(_ answer: HTTPAnswer) -> Sight.Fault? {
        guard answer.status == status else { return .status(answer.status) }
        return isPage && !answer.isHTML ? .noHTML : nil
    }
}

extension Scene {
    fileprivate var request: WebRequest? {
        switch self {
        case .page(let path): WebRequest(method: "GET", path: path, status: 200, isPage: true)
        case .upload(let path): WebRequest(method: "PUT", path: path, status: 401, isPage: false)
        case .clients, .login, .servers, .relay, .port: nil
        }
    }
}
