public import Settings

/// Everything that the servers' configurations follow from.
public struct ServerFacts: Sendable, Equatable {
    /// What the person wants.
    public var settings: Settings
    /// Where things lie.
    public var locations: Locations
    /// What the servers share.
    public var secrets: Secrets
    /// What nginx is to do.
    public var phase: Phase
    /// Whether this machine has IPv6 at all; without it, listening on `::` would fail.
    public var hasIPv6: Bool
    /// Whether nginx has the HTTP port. It always has when the settings need it; else another program may.
    public var hasHTTPPort: Bool
    /// The address under which this machine is known outside, for a TURN server behind NAT; nil when it has that address itself.
    public var publicAddress: String?
    /// Where nginx reaches the chat server's HTTP when both share no loopback; nil when they do.
    public var chatSocket: String?

    public init(
        settings: Settings, locations: Locations, secrets: Secrets, phase: Phase = .serving, hasIPv6: Bool = true, hasHTTPPort: Bool = true,
        publicAddress: String? = nil, chatSocket: String? = nil
    ) {
        self.settings = settings
        self.locations = locations
        self.secrets = secrets
        self.phase = phase
        self.hasIPv6 = hasIPv6
        self.hasHTTPPort = hasHTTPPort
        self.publicAddress = publicAddress
        self.chatSocket = chatSocket
    }

    /// What nginx is to do.
    public enum Phase: Sendable, Equatable {
        /// There is no certificate yet: port 80 only, with challenges and the page of ``waitingPage(_:)``.
        case gettingReady
        /// Everything.
        case serving
    }
}

extension ServerFacts {
    /// A service's own copy of the certificate, with the chain.
    public func certificate(of service: Service) -> String { locations.run(of: service) + "/tls/fullchain.pem" }
    /// The private key that belongs to it.
    public func privateKey(of service: Service) -> String { locations.run(of: service) + "/tls/privkey.pem" }
    /// nginx's socket for the probe: `GET /_health` says `ok` and the number of the process that answers.
    public var healthSocket: String { locations.work(of: .nginx) + "/health.sock" }
    /// Where nginx takes HTTPS when connections to the port are told apart first; and where it takes the certificate authority's.
    var webSocket: String { locations.work(of: .nginx) + "/web.sock" }
    var challengeSocket: String { locations.work(of: .nginx) + "/acme.sock" }
    var relaySocket: String { locations.work(of: .nginx) + "/relay.sock" }
    /// Where Debian's libnginx-mod-stream puts its module.
    static let nginxStreamModule = "/usr/lib/nginx/modules/ngx_stream_module.so"

    /// What the chat server makes TURN credentials with.
    public var turnSecret: String { settings.turn.secret ?? secrets.turn }

    /// Where IPv6 is all that is wished, a machine without it is told so by its servers.
    var usesIPv6: Bool { settings.ipv6 && (hasIPv6 || !settings.ipv4) }
    var retentionSeconds: Int { settings.retentionDays * 86_400 }
    /// The largest file, and the 16 bytes that encryption adds to it (XEP-0454 §2).
    var uploadLimitBytes: Int { settings.uploadLimitMegabytes * 1_048_576 + 16 }
    /// ``Settings/uploadBaseURL`` below the host.
    var uploadPath: String {
        let parts = settings.uploadBaseURL.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: true)
        return parts.count > 2 ? "/" + parts[2] : "/"
    }
    /// ``Settings/uploadBaseURL`` without ``uploadPath``.
    var uploadOrigin: String {
        settings.uploadBaseURL.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: true).prefix(2).joined(separator: "//")
    }
    /// Whether a server listens on a port below 1024, which only root may, and whoever has CAP_NET_BIND_SERVICE.
    public func usesLowPort(_ service: Service) -> Bool { settings.usesLowPort(service) }

    var isLoopbackOnly: Bool {
        !settings.listenAddresses.isEmpty && settings.listenAddresses.allSatisfy { $0.hasPrefix("127.") || $0 == "::1" }
    }
}

extension Settings {
    /// Whether a server listens on a port below 1024.
    func usesLowPort(_ service: Service) -> Bool {
        let own =
            switch service {
            case .nginx: [ports.http, ports.https]
            case .prosody:
                [ports.xmppClient, ports.xmppClientTLS, ports.xmppServer, ports.xmppServerTLS, ports.proxy65, ports.internalHTTP]
            case .coturn: [ports.turn, ports.turnTLS]
            case .portal: [Int]()
            }
        return own.contains { $0 < 1_024 }
    }
}
