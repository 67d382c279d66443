import CertificateStore
import Settings

/// A port that is looked at the way its users do.
struct Endpoint: Sendable {
    /// As in the status report's `served`.
    let name: String
    /// The server behind it.
    let service: Service
    /// Whom that server hands the request on to; nil when it answers itself.
    var behind: Service?
    /// Under which name the look is remembered.
    let probe: String
    /// An address and a port.
    let address: String
    /// The host name: for TLS and HTTP.
    let host: String
    /// How it is come to.
    var way = LookJob.Way.tls
    let kind: Kind

    /// What is spoken there.
    enum Kind: Sendable, Equatable {
        case clients(domain: String, isDirect: Bool)
        case servers(domain: String, isDirect: Bool)
        case page
        case upload(path: String)
        case relay(LookJob.Transport)
        case port
    }

    /// Whether this is where the certificate of a port is seen: each port once.
    var showsCertificate: Bool {
        switch kind {
        case .page: !way.isPlain
        case .clients, .servers, .relay(.tls): true
        case .upload, .relay, .port: false
        }
    }

    /// What `snikket-certs` is asked.
    func question(turnSecret: String) -> LookJob.Question {
        let scene: LookJob.Scene =
            switch kind {
            case .clients(let domain, let isDirect): .clients(domain: domain, isDirect: isDirect)
            case .servers(let domain, let isDirect): .servers(domain: domain, isDirect: isDirect)
            case .page: .page(path: "/")
            case .upload(let path): .upload(path: path)
            case .relay(let transport): .relay(secret: turnSecret, over: transport)
            case .port: .port
            }
        return LookJob.Question(name: name, address: address, host: host, scene: scene, way: way)
    }
}

extension Settings {
    /// The endpoint of the HTTP port, which may be another program's.
    static let httpPort = "http"

    /// Every port of the servers, as it is looked at.
    var endpoints: [Endpoint] {
        func at(_ port: Int) -> String {
            let address = ownAddress
            return address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
        }
        let uploads = uploadBaseURL.dropFirst("https://".count).split(separator: "/", maxSplits: 1)
        let uploadHost = String(uploads[0].prefix { $0 != ":" })
        let way = LookJob.Way(isPlain: !webTLS, isAnnounced: proxyProtocol)
        var endpoints = [
            Endpoint(
                name: "https", service: .nginx, behind: .portal, probe: "portal_page", address: at(webPort), host: webHost, way: way, kind: .page),
            Endpoint(
                name: "upload", service: .nginx, behind: .prosody, probe: "upload", address: at(webPort), host: uploadHost, way: way,
                // No slot has this name, and nothing is stored without a slot's token.
                kind: .upload(path: "/" + uploads.dropFirst().joined() + "/probe")),
            Endpoint(
                name: "xmpp_client", service: .prosody, probe: "c2s_sasl", address: at(ports.xmppClient), host: domain,
                kind: .clients(domain: chatHost, isDirect: false)),
            Endpoint(
                name: "proxy65", service: .prosody, probe: "proxy65", address: at(ports.proxy65), host: domain, kind: .port),
        ]
        if webTLS {
            endpoints.append(
                Endpoint(name: Self.httpPort, service: .nginx, probe: "http", address: at(ports.http), host: webHost, kind: .port))
        }
        // Prosody 13.0 knows no internationalised name in a TLS hello: there, apps come in by STARTTLS.
        if chatHost == domain {
            endpoints.append(
                Endpoint(
                    name: "xmpp_client_tls", service: .prosody, probe: "c2s_tls", address: at(ports.xmppClientTLS), host: domain,
                    kind: .clients(domain: chatHost, isDirect: true)))
        }
        if sharesHTTPSPort, chatHost == domain {
            endpoints.append(
                Endpoint(
                    name: "https_xmpp_client", service: .nginx, behind: .prosody, probe: "https_c2s", address: at(ports.https), host: domain,
                    way: way,
                    kind: .clients(domain: chatHost, isDirect: true)))
        }
        if federation {
            endpoints.append(
                Endpoint(
                    name: "xmpp_server", service: .prosody, probe: "s2s", address: at(ports.xmppServer), host: domain,
                    kind: .servers(domain: chatHost, isDirect: false)))
        }
        if federation, chatHost == domain {
            endpoints.append(
                Endpoint(
                    name: "xmpp_server_tls", service: .prosody, probe: "s2s_tls", address: at(ports.xmppServerTLS), host: domain,
                    kind: .servers(domain: chatHost, isDirect: true)))
        }
        if turn.enabled {
            endpoints += [
                Endpoint(
                    name: "turn", service: .coturn, probe: "turn_allocation", address: at(ports.turn), host: turn.host, kind: .relay(.udp)),
                Endpoint(
                    name: "turn_tcp", service: .coturn, probe: "turn_tcp_allocation", address: at(ports.turn), host: turn.host,
                    kind: .relay(.tcp)),
                Endpoint(
                    name: "turn_tls", service: .coturn, probe: "turn_tls_allocation", address: at(ports.turnTLS), host: turn.host,
                    kind: .relay(.tls)),
            ]
        }
        return endpoints
    }
}
