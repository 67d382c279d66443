extension Settings.Option {
    static let ports: [Self] = [
        Self(
            "SNIKKET_TWEAK_LISTEN_ADDRESSES", .addresses, .none("all addresses of this machine"), .ports, into: \.settings.listenAddresses,
            "The addresses of this machine to listen on."),
        port(
            "SNIKKET_TWEAK_HTTP_PORT", "80", into: \.settings.ports.http,
            "The port for HTTP: challenges of the certificate authority, and redirects to HTTPS."),
        port(
            "SNIKKET_TWEAK_HTTPS_PORT", "443", into: \.settings.ports.https,
            "The port for HTTPS: the portal, shared files, and XMPP where only this port gets through."),
        Self(
            "SNIKKET_ALL_ON_HTTPS_PORT", .flag, .value("off"), .ports, into: \.settings.sharesHTTPSPort,
            "Whether apps, other servers and calls can come in on the port for HTTPS too, told apart by the protocol that they ask for: for people behind strict firewalls."
        ),
        port(
            "SNIKKET_INTERNAL_CLIENT_PORT", "5224", into: \.settings.ports.clientFront,
            "The chat server's own port for apps that come in on the port for HTTPS, on loopback only."),
        port(
            "SNIKKET_INTERNAL_SERVER_PORT", "5271", into: \.settings.ports.serverFront,
            "The chat server's own port for other servers that come in on the port for HTTPS, on loopback only."),
        port("SNIKKET_TWEAK_XMPP_CLIENT_PORT", "5222", into: \.settings.ports.xmppClient, "The port for apps (RFC 6120)."),
        port(
            "SNIKKET_TWEAK_XMPP_CLIENT_TLS_PORT", "5223", into: \.settings.ports.xmppClientTLS,
            "The port for apps that begin with TLS (XEP-0368)."),
        port("SNIKKET_TWEAK_XMPP_SERVER_PORT", "5269", into: \.settings.ports.xmppServer, "The port for other servers (RFC 6120)."),
        port(
            "SNIKKET_TWEAK_XMPP_SERVER_TLS_PORT", "5270", into: \.settings.ports.xmppServerTLS,
            "The port for other servers that begin with TLS (XEP-0368)."),
        port(
            "SNIKKET_PROXY65_PORT", "5000", into: \.settings.ports.proxy65,
            "The port for sending files between two apps that cannot reach each other (XEP-0065)."),
        port(
            "SNIKKET_TWEAK_INTERNAL_HTTP_PORT", "5280", into: \.settings.ports.internalHTTP,
            "The chat server's own HTTP port, on loopback only."),
        Self(
            "SNIKKET_METRICS_LISTEN", .privateEndpoint(port: ListenAddress.metricsPort), .none("no metrics are offered"), .ports,
            into: \.settings.metricsListen,
            "Where metrics for Prometheus are offered, below /metrics: an address of this machine that the internet does not reach."),
        Self(
            "SNIKKET_TWEAK_INTERNAL_HTTP_INTERFACE", .text, .none("loopback"), .ports,
            effect: .meaningless("the chat server's own HTTP is never reachable from outside"),
            "The addresses of the chat server's own HTTP."),
        Self(
            "SNIKKET_TWEAK_INTERNAL_HTTP_HOST", .text, .none("loopback"), .ports,
            effect: .meaningless("the chat server's own HTTP is always reached by loopback"),
            "The host where the web server finds the chat server's own HTTP."),
        Self(
            "SNIKKET_TWEAK_PORTAL_INTERNAL_HTTP_PORT", .text, .none("a socket in the run folder"), .ports,
            effect: .meaningless("the portal listens on a Unix socket, not on a port"),
            "The portal's own HTTP port."),
        Self(
            "SNIKKET_TWEAK_PORTAL_INTERNAL_HTTP_INTERFACE", .text, .none("a socket in the run folder"), .ports,
            effect: .meaningless("the portal listens on a Unix socket, not on an address"),
            "The addresses of the portal's own HTTP."),
        Self(
            "SNIKKET_TWEAK_PORTAL_INTERNAL_HTTP_HOST", .text, .none("a socket in the run folder"), .ports,
            effect: .meaningless("the portal listens on a Unix socket, not on a host"),
            "The host where the web server finds the portal."),
        Self(
            "SNIKKET_TWEAK_WEB_PROXY_PROTOS", .webProtocols, .value("http https"), .ports, into: \.webProtocols,
            "What the web server speaks itself. Behind another web server that speaks TLS for it, http alone: everything is then served on the port for HTTP, to that server only."
        ),
        Self(
            "SNIKKET_TRUSTED_PROXIES", .networks, .none("none; 127.0.0.1 and ::1 when SNIKKET_TWEAK_WEB_PROXY_PROTOS is http"), .ports,
            into: \.settings.trustedProxies,
            "The web servers in front of this one, that pass its names on to it: who a request is from is believed of them only."),
        Self(
            "SNIKKET_PROXY_PROTOCOL", .flag, .value("off"), .ports, into: \.settings.proxyProtocol,
            "Whether those web servers say before each connection who it is from (the PROXY protocol), on the port on which the pages are served."),
        Self(
            "SNIKKET_PUBLIC_HTTP_PORT", .port, .none("80 behind another web server, else SNIKKET_TWEAK_HTTP_PORT"), .ports,
            into: \.settings.givenPublicHTTPPort, "The port on which the internet finds the web pages without TLS."),
        Self(
            "SNIKKET_PUBLIC_HTTPS_PORT", .port, .none("443 behind another web server, else SNIKKET_TWEAK_HTTPS_PORT"), .ports,
            into: \.settings.givenPublicHTTPSPort, "The port on which the internet finds the web pages, as it stands in links."),
        Self(
            "SNIKKET_TWEAK_WEB_PROXY_PROTOCOLS", .text, .none("not read"), .ports,
            effect: .meaningless("no version of Snikket reads it; the option is SNIKKET_TWEAK_WEB_PROXY_PROTOS"),
            "A wrong name of SNIKKET_TWEAK_WEB_PROXY_PROTOS in the documentation."),
        Self(
            "SNIKKET_TWEAK_WEB_PROXY_RELOAD_INTERVAL", .text, .none("at once"), .ports,
            effect: .meaningless("the web server takes up a new certificate at once, not at intervals"),
            "How often the web server looks for a renewed certificate, in seconds."),
        Self(
            "SNIKKET_TWEAK_HTTP_TLS_VERSIONS", .text, .none("Mozilla's intermediate profile"), .ports,
            effect: .meaningless("the web server's TLS follows Mozilla's intermediate profile and is locked down"),
            "The TLS versions of the web server."),
        Self(
            "SNIKKET_TWEAK_HTTP_TLS_CIPHERS", .text, .none("Mozilla's intermediate profile"), .ports,
            effect: .meaningless("the web server's TLS follows Mozilla's intermediate profile and is locked down"),
            "The ciphers of the web server."),
    ]

    static let calls: [Self] = [
        Self(
            "SNIKKET_TWEAK_TURNSERVER", .flag, .value("on"), .calls, into: \.settings.turn.enabled,
            "Whether to run a server that carries calls between people behind firewalls (TURN, RFC 8656)."),
        Self(
            "SNIKKET_TWEAK_TURNSERVER_DOMAIN", .domain(), .derived("the domain, or SNIKKET_WEB_HOST") { $0.webHost }, .calls,
            into: \.settings.turn.host,
            "The host name of the TURN server that apps are told; another machine's, when that runs it."),
        port("SNIKKET_TWEAK_TURNSERVER_PORT", "3478", .calls, into: \.settings.ports.turn, "The port of the TURN server, UDP and TCP."),
        port(
            "SNIKKET_TWEAK_TURNSERVER_TLS_PORT", "5349", .calls, into: \.settings.ports.turnTLS,
            "The port of the TURN server that begins with TLS."),
        Self(
            Settings.relaySecretOption, .text, .none("made at the first start"), .calls, into: \.settings.turn.secret, secret: true,
            "The secret shared with a TURN server on another machine."),
        port(
            "SNIKKET_TWEAK_TURNSERVER_MIN_PORT", "49152", .calls, into: \.settings.turn.minimumRelayPort,
            "The lowest UDP port that carries calls."),
        port(
            "SNIKKET_TWEAK_TURNSERVER_MAX_PORT", "65535", .calls, into: \.settings.turn.maximumRelayPort,
            "The highest UDP port that carries calls."),
        Self(
            "SNIKKET_TWEAK_TURNSERVER_INTERNAL_IP", .address, .none("found at the start"), .calls, into: \.settings.turn.internalAddress,
            "This machine's own address, when it is behind NAT and has several."),
        Self(
            "SNIKKET_TURN_EXTERNAL_IP", .address, .none("found in DNS, when this machine has only private addresses"), .calls,
            into: \.settings.turn.externalAddress,
            "The address under which the internet knows this machine, when it is behind NAT: its router's, or its provider's."),
    ]

    private static func port(
        _ name: String, _ value: String, _ section: Section = .ports, into place: any WritableKeyPath<Draft, Int> & Sendable,
        _ summary: String
    ) -> Self {
        Self(name, .port, .value(value), section, into: place, summary)
    }
}
