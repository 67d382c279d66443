import Settings

/// A port on which a certificate is served.
struct Endpoint: Sendable {
    /// As in the status report's `served`.
    let name: String
    /// The server behind it.
    let service: Service
    /// How `snikket-certs` looks at it.
    let probe: [String]

    init(_ name: String, _ service: Service, address: String, port: Int, host: String, startTLS: String? = nil, stream: String? = nil) {
        self.name = name
        self.service = service
        probe =
            ["probe", "--connect", "\(address):\(port)", "--name", host, "--timeout", "10"] + (startTLS.map { ["--starttls", $0] } ?? [])
            + (stream.map { ["--stream", $0] } ?? [])
    }
}

extension Settings {
    /// Every port that serves the certificate.
    var endpoints: [Endpoint] {
        let address = listenAddresses.first ?? "127.0.0.1"
        var endpoints = [
            Endpoint("https", .nginx, address: address, port: ports.https, host: domain),
            Endpoint("xmpp_client", .prosody, address: address, port: ports.xmppClient, host: domain, startTLS: "xmpp-client", stream: chatHost),
        ]
        // Prosody 13.0 knows no internationalised name in a TLS hello: there, apps come in by STARTTLS.
        if chatHost == domain {
            endpoints.append(Endpoint("xmpp_client_tls", .prosody, address: address, port: ports.xmppClientTLS, host: domain))
        }
        if federation {
            endpoints.append(
                Endpoint("xmpp_server", .prosody, address: address, port: ports.xmppServer, host: domain, startTLS: "xmpp-server", stream: chatHost))
        }
        if turn.enabled { endpoints.append(Endpoint("turn_tls", .coturn, address: address, port: ports.turnTLS, host: turn.host)) }
        return endpoints
    }
}
