import DurableFiles
import Settings
import Templates

extension ServerFacts {
    func nginxFiles() throws(ServerConfigsError) -> [RenderedFile] {
        let configuration = try locations.render(template: "nginx/nginx.conf.template", .nginx, nginxValues)
        var files = [RenderedFile(path: locations.run(of: .nginx) + "/nginx.conf", text: configuration, service: .nginx)]
        let style = String(decoding: try File.own(locations.templates + "/nginx/style.css"), as: UTF8.self)
        files.append(RenderedFile(path: pages + "/style.css", text: style, service: .nginx))
        for page in StaticPage.all(phase) { files.append(try render(page)) }
        return files
    }

    var pages: String { locations.run(of: .nginx) + "/pages" }

    private var nginxValues: [String: Value] {
        let folder = locations.work(of: .nginx)
        let serving = phase == .serving
        let ports = settings.ports
        let profile = NginxTLS(settings.tlsProfile)
        let sorts = settings.sortsHTTPSConnections
        let portSuffix = settings.publicHTTPSPort == 443 ? "" : ":\(settings.publicHTTPSPort)"
        let isAnnounced = settings.proxyProtocol
        return [
            "pidFile": .text(folder + "/nginx.pid"),
            "logLevel": .text(nginxLogLevel),
            "bodyFolder": .text(folder + "/body"),
            "proxyFolder": .text(folder + "/proxy"),
            "fastcgiFolder": .text(folder + "/fastcgi"),
            "uwsgiFolder": .text(folder + "/uwsgi"),
            "scgiFolder": .text(folder + "/scgi"),
            "healthSocket": .text("unix:" + healthSocket),
            // Without TLS of our own the pages are served there, as soon as there are any.
            "httpListen": hasHTTPPort && (settings.webTLS || !serving)
                ? words(listen(ports.http), isAnnounced && !settings.webTLS ? announced : []) : .absent,
            // A client that has gone without a word is noticed there, and nowhere behind.
            "httpsListen": words(listen(ports.https), ["so_keepalive=on"] + (isAnnounced ? announced : [])),
            "sortsConnections": .flag(sorts),
            "streamModule": .text(Self.nginxStreamModule),
            // A connection that is passed on is four instead of two.
            "connections": .number(sorts ? 4096 : 2048),
            "answersChallenges": .flag(settings.answersChallengesOverTLS),
            "sharesPort": .flag(settings.sharesHTTPSPort),
            "federation": .flag(settings.federation),
            "relay": .flag(settings.sharesHTTPSPort && settings.turn.enabled),
            "relayName": .optional(settings.relaysOnHTTPSPort ? settings.turn.host : nil),
            "clients": .text("127.0.0.1:\(ports.clientFront)"),
            "servers": .text("127.0.0.1:\(ports.serverFront)"),
            "relaySocket": .text("unix:" + relaySocket),
            "relayPlace": .text(place(of: ports.turnTLS)),
            "webSocket": .text("unix:" + webSocket),
            "challengeSocket": .text("unix:" + challengeSocket),
            "responderSocket": .text("unix:" + locations.responderSocket),
            "webListen": sorts
                ? words(["unix:" + webSocket], ["ssl", "http2"] + announced)
                : words(listen(settings.webPort), (settings.webTLS ? ["ssl", "http2"] : []) + (isAnnounced ? announced : [])),
            "webTLS": .flag(settings.webTLS),
            "isPlain": .flag(!settings.webTLS),
            "proxies": .texts(settings.proxies),
            "isAnnounced": .flag(isAnnounced),
            // Whose word is taken for whom a request is from, and where it stands.
            // Who passes TLS on untouched cannot have written a header in it: that is the client's own word.
            "heralds": .texts(sorts ? ["unix:"] : isAnnounced || !settings.webTLS ? settings.proxies : []),
            "herald": .text(sorts || isAnnounced ? "proxy_protocol" : "X-Forwarded-For"),
            "names": .texts(settings.certificateNames),
            "challenges": .text(locations.challenges + "/"),
            "pages": .text(pages + "/"),
            "waitingPage": .text(pages + "/waiting.html"),
            "serving": .flag(serving),
            "portSuffix": .text(portSuffix),
            "certificate": .text(certificate(of: .nginx)),
            "privateKey": .text(privateKey(of: .nginx)),
            "protocols": .texts(profile.protocols),
            "ciphers": .text(profile.ciphers),
            "serverPreference": .text(profile.serverPreference ? "on" : "off"),
            "portalSocket": .text("unix:" + locations.portalSocket),
            "prosody": .text(chatSocket.map { "unix:" + $0 } ?? "127.0.0.1:\(ports.internalHTTP)"),
            "domain": .text(settings.domain),
            "webHost": .text(settings.webHost),
            "isDomainElsewhere": .flag(settings.isDomainElsewhere),
            "groupsHost": .text(settings.groupsHost),
            "shareHost": .text(settings.shareHost),
            "headers": .rows(Self.rows(securityHeaders)),
            "uploadHeaders": .rows(Self.rows(uploadHeaders)),
            "uploadOnDomain": .flag(uploadOrigin == settings.webURL),
            "uploadFolder": .text(uploadPath + "/"),
            "uploadUpstream": .text("http://prosody" + uploadPath + "/"),
            "uploadLimitBytes": .text(String(uploadLimitBytes)),
        ]
    }

    private static func rows(_ headers: [(String, String)]) -> [[String: Value]] {
        headers.map { ["name": .text($0.0), "value": .text($0.1)] }
    }

    private func place(of port: Int) -> String {
        let address = settings.ownAddress
        return address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
    }

    private var announced: [String] { ["proxy_protocol"] }

    /// What stands behind `listen`, once for each place.
    private func words(_ places: [String], _ more: [String]) -> Value { .rows(places.map { ["words": .texts([$0] + more)] }) }

    private func listen(_ port: Int) -> [String] {
        let addresses = settings.webAddresses
        if addresses.isEmpty { return (settings.ipv4 ? ["0.0.0.0:\(port)"] : []) + (usesIPv6 ? ["[::]:\(port)"] : []) }
        return addresses.map { $0.contains(":") ? "[\($0)]:\(port)" : "\($0):\(port)" }
    }

    private var nginxLogLevel: String {
        switch settings.logLevel {
        // nginx's own debug level prints what it does with each byte.
        case .debug: "info"
        case .info: "notice"
        case .warn: "warn"
        case .error: "error"
        }
    }

    private var securityHeaders: [(String, String)] {
        [
            (
                "Content-Security-Policy",
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
                    + "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
            ),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
            ("Referrer-Policy", "no-referrer"),
        ] + transportSecurity
    }

    /// Files that people sent each other: shown, but never run.
    private var uploadHeaders: [(String, String)] {
        [("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer")] + transportSecurity
    }

    /// RFC 6797. Not for an authority of our own: a browser that does not know it could not go on, and for `localhost` it
    /// would hold for everything else on that computer.
    private var transportSecurity: [(String, String)] {
        settings.certificates == .internalAuthority ? [] : [("Strict-Transport-Security", "max-age=31536000")]
    }
}

/// Mozilla's server-side TLS guidelines, version 5.7, for nginx.
private struct NginxTLS {
    let protocols: [String]
    let ciphers: String
    let serverPreference: Bool

    init(_ profile: Settings.TLSProfile) {
        let forwardSecret = TLSCiphers.forwardSecret
        switch profile {
        // The setting is about apps and other servers. On the web, `modern` would shut out browsers that everybody else lets in.
        case .modern, .intermediate: (protocols, ciphers, serverPreference) = (["TLSv1.2", "TLSv1.3"], forwardSecret.joined(separator: ":"), false)
        case .old:
            protocols = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]
            let older = [
                "ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA",
                "ECDHE-ECDSA-AES256-SHA384", "ECDHE-RSA-AES256-SHA384", "ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA",
                "AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA256", "AES256-SHA256", "AES128-SHA", "AES256-SHA",
            ]
            // OpenSSL 3 has TLS 1.0 and 1.1 at its lowest security level only.
            ciphers = (["@SECLEVEL=0"] + forwardSecret + older).joined(separator: ":")
            serverPreference = true
        }
    }
}

/// What Mozilla's intermediate profile has for TLS 1.2, without the finite-field ones, which need parameters of their own.
enum TLSCiphers {
    static let forwardSecret = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    ]
}
