public import Settings
import Templates

/// A web server or proxy that may stand in front of ours, and passes our names on to it.
public enum FrontServer: String, Sendable, CaseIterable {
    case nginx, apache, caddy, traefik, haproxy, sslh

    /// - Parameter program: as the kernel names its process.
    public init?(program: String) {
        switch program {
        case "apache2", "httpd": self = .apache
        case "sslh-select", "sslh-ev": self = .sslh
        default:
            guard let server = Self(rawValue: program) else { return nil }
            self = server
        }
    }

    /// Whether it passes TLS on untouched, by the name that stands in its first message; else it speaks TLS itself.
    var passesTLSOn: Bool {
        switch self {
        case .nginx, .apache, .caddy: false
        case .traefik, .haproxy, .sslh: true
        }
    }

    /// Whether it serves websites itself.
    public var isForWebsites: Bool { self == .nginx || self == .apache || self == .caddy }

    /// Whether it needs a certificate of ours, for it has none of its own.
    public var needsCertificate: Bool { self == .nginx || self == .apache }

    /// Whether it says who a connection is from. Debian 12's sslh cannot.
    private var announces: Bool { self == .traefik || self == .haproxy }

    /// The lines of snikket.conf that have to be otherwise for it: option and value.
    public func missing(from settings: Settings) -> [(option: String, value: String)] {
        var missing: [(option: String, value: String)] = []
        func need(_ isSo: Bool, _ option: String, _ value: String) { if !isSo { missing.append((option, value)) } }
        need(settings.webTLS == passesTLSOn, "SNIKKET_TWEAK_WEB_PROXY_PROTOS", passesTLSOn ? "http https" : "http")
        need(settings.isBehindProxy || (missing.contains { $0.value == "http" }), "SNIKKET_TRUSTED_PROXIES", settings.ipv4 ? "127.0.0.1" : "::1")
        need(settings.proxyProtocol == announces, "SNIKKET_PROXY_PROTOCOL", announces ? "on" : "off")
        // Its own ports are those that the internet finds.
        let publicHTTP = settings.givenPublicHTTPPort ?? 80
        need(settings.ports.http != publicHTTP, "SNIKKET_TWEAK_HTTP_PORT", "5080")
        if passesTLSOn { need(settings.ports.https != settings.givenPublicHTTPSPort ?? 443, "SNIKKET_TWEAK_HTTPS_PORT", "5443") }
        // It tells names apart in TLS only, so what comes without TLS is not for us.
        if self == .sslh, case .acme = settings.certificates { need(settings.challenge != .http, "SNIKKET_CHALLENGE", "tls-alpn-01") }
        return missing
    }

    /// The template, and how values are written in it.
    var template: (file: String, format: Format) {
        switch self {
        case .nginx: ("proxy/nginx.conf.template", .nginx)
        case .apache: ("proxy/apache.conf.template", .word)
        case .caddy: ("proxy/Caddyfile.template", .word)
        case .traefik: ("proxy/traefik.yml.template", .yaml)
        case .haproxy: ("proxy/haproxy.cfg.template", .word)
        case .sslh: ("proxy/sslh.cfg.template", .word)
        }
    }
}

extension ServerFacts {
    /// What has to be put into the configuration of a server in front of ours. Its settings have to fit (``FrontServer/missing(from:)``).
    ///
    /// - Parameter certificate: the certificate and the key that it is to use; nil while there is none.
    /// - Throws: ``ServerConfigsError/template(_:)``, ``ServerConfigsError/file(_:)``.
    public func part(of server: FrontServer, certificate: (fullChain: String, privateKey: String)?) throws(ServerConfigsError) -> String {
        let names = settings.ownNames
        let wildcard = settings.listenAddresses.first { $0 != "0.0.0.0" && $0 != "::" }
        let address = wildcard ?? settings.ownAddress
        func place(_ port: Int) -> String { address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)" }
        let listen = { [self] (port: Int) -> [String] in (settings.ipv4 ? ["\(port)"] : []) + (usesIPv6 ? ["[::]:\(port)"] : []) }
        let bind = { [self] (port: Int) -> [String] in
            usesIPv6 ? ["[::]:\(port)", settings.ipv4 ? "v4v6" : "v6only"] : ["0.0.0.0:\(port)"]
        }
        let all: [String: Value] = [
            "webHost": .text(settings.webHost),
            "names": .texts(names),
            "otherNames": .texts(Array(names.dropFirst())),
            "address": .text(address),
            "everywhere": .text(settings.ipv4 ? "0.0.0.0" : "::"),
            "httpPlace": .text(place(settings.ports.http)),
            "httpsPlace": .text(place(settings.ports.https)),
            "httpURL": .text("http://" + place(settings.ports.http)),
            "httpsPort": .number(settings.ports.https),
            "publicHTTP": .number(settings.publicHTTPPort),
            "publicHTTPS": .number(settings.publicHTTPSPort),
            "httpListen": .texts(listen(settings.publicHTTPPort)),
            "httpsListen": .texts(listen(settings.publicHTTPSPort)),
            "httpBind": .texts(bind(settings.publicHTTPPort)),
            "httpsBind": .texts(bind(settings.publicHTTPSPort)),
            "uploadLimitBytes": .text(String(uploadLimitBytes)),
            "hasCertificate": .flag(certificate != nil),
            "certificate": .optional(certificate?.fullChain),
            "privateKey": .optional(certificate?.privateKey),
            "hosts": .text(names.map { "Host(`\($0)`)" }.joined(separator: " || ")),
            "hostSNI": .text(names.map { "HostSNI(`\($0)`)" }.joined(separator: " || ")),
        ]
        let (file, format) = server.template
        return try locations.render(template: file, format, all, leavingOut: true)
    }
}
