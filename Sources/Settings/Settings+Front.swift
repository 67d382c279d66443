extension Settings {
    /// The web servers that stand in front of ours, by address or network: who a request is from is believed of them, and of nobody else.
    public var proxies: [String] {
        // Who comes from this machine to another address of it than loopback comes from that address.
        let own = frontAddresses.contains(where: IPAddress.isLoopback) ? listenAddresses.filter { $0 != "0.0.0.0" && $0 != "::" } : []
        return frontAddresses + own.filter { !frontAddresses.contains($0) && !IPAddress.isLoopback($0) }
    }
    /// Those that were named.
    private var frontAddresses: [String] { trustedProxies.isEmpty && !webTLS ? ["127.0.0.1", "::1"] : trustedProxies }
    /// Whether the internet comes to our web server by way of another one.
    public var isBehindProxy: Bool { !proxies.isEmpty }
    /// Whether one of them is on another machine.
    public var isFrontElsewhere: Bool { !frontAddresses.allSatisfy(IPAddress.isLoopback) }
    /// The port on which the internet finds our web pages without TLS.
    public var publicHTTPPort: Int { givenPublicHTTPPort ?? (isBehindProxy ? 80 : ports.http) }
    /// The port on which the internet finds our web pages.
    public var publicHTTPSPort: Int { givenPublicHTTPSPort ?? (isBehindProxy ? 443 : ports.https) }
    /// The port on which our web server serves the pages, with TLS or without.
    public var webPort: Int { webTLS ? ports.https : ports.http }
    /// The addresses on which our web server listens; none: all. When everything in front is on this machine, nobody else is to reach it.
    public var webAddresses: [String] {
        guard listenAddresses.isEmpty, isBehindProxy, !isFrontElsewhere else { return listenAddresses }
        return [ownAddress]
    }
}

extension Reading {
    /// What the options about another web server in front have to do with each other.
    mutating func checkFront(refused: Set<String>) {
        let (speaks, trusted, announced) = ("SNIKKET_TWEAK_WEB_PROXY_PROTOS", "SNIKKET_TRUSTED_PROXIES", "SNIKKET_PROXY_PROTOCOL")
        if draft.webProtocols == .https {
            notice(speaks, "the port for HTTP is there all the same: challenges and the way to HTTPS need it")
        }
        if draft.webProtocols == .http, draft.settings.sharesHTTPSPort { problem("SNIKKET_ALL_ON_HTTPS_PORT", .excludedBy(option: speaks)) }
        guard refused.isDisjoint(with: [speaks, trusted, announced, "SNIKKET_CHALLENGE"]) else { return }
        if draft.webProtocols == .http, draft.certificate == .acme, draft.challenge == .tlsALPN {
            problem("SNIKKET_CHALLENGE", .excludedBy(option: speaks))
        }
        if draft.settings.proxyProtocol, !draft.finished.isBehindProxy { problem(trusted, at: announced, .missingBeside(option: announced)) }
    }
}
