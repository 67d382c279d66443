import Settings

/// Checks the value of `--ports-from`.
func checkedFirstPort(_ port: Int) throws -> Int {
    guard (1_024...65_000).contains(port) else {
        throw Failure(
            error: "--ports-from \(port) is out of range", cause: "ports from 1024 to 65000 are possible", tryThis: "--ports-from 8000", code: .usage)
    }
    return port
}

extension Ports {
    /// The same as options of snikket.conf.
    var options: [(name: String, value: String)] {
        [
            ("SNIKKET_TWEAK_HTTP_PORT", "\(http)"), ("SNIKKET_TWEAK_HTTPS_PORT", "\(https)"),
            ("SNIKKET_TWEAK_XMPP_CLIENT_PORT", "\(xmppClient)"), ("SNIKKET_TWEAK_XMPP_CLIENT_TLS_PORT", "\(xmppClientTLS)"),
            ("SNIKKET_TWEAK_XMPP_SERVER_PORT", "\(xmppServer)"), ("SNIKKET_TWEAK_XMPP_SERVER_TLS_PORT", "\(xmppServerTLS)"),
            ("SNIKKET_PROXY65_PORT", "\(proxy65)"), ("SNIKKET_TWEAK_TURNSERVER_PORT", "\(turn)"),
            ("SNIKKET_TWEAK_TURNSERVER_TLS_PORT", "\(turnTLS)"), ("SNIKKET_TWEAK_INTERNAL_HTTP_PORT", "\(internalHTTP)"),
            ("SNIKKET_INTERNAL_CLIENT_PORT", "\(clientFront)"), ("SNIKKET_INTERNAL_SERVER_PORT", "\(serverFront)"),
        ]
    }
}
