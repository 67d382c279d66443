import Settings
import Templates

extension ServerFacts {
    func coturnFile() throws(ServerConfigsError) -> RenderedFile {
        let folder = locations.run(of: .coturn)
        let turn = settings.turn
        let external = (turn.externalAddress ?? publicAddress).map { address in turn.internalAddress.map { "\(address)/\($0)" } ?? address }
        let values: [String: Value] = [
            "port": .number(settings.ports.turn),
            "tlsPort": .number(settings.ports.turnTLS),
            // Without addresses coturn finds each of its own and answers from the one that was asked.
            "addresses": .texts(settings.listenAddresses.isEmpty ? usesIPv6 ? settings.ipv4 ? [] : ["::"] : ["0.0.0.0"] : settings.listenAddresses),
            "hasIPv4": .flag(settings.ipv4),
            "relayAddress": .optional(turn.internalAddress),
            "externalAddress": .optional(external),
            "minimumRelayPort": .number(turn.minimumRelayPort),
            "maximumRelayPort": .number(turn.maximumRelayPort),
            "realm": .text(settings.domain),
            "secret": .text(turnSecret),
            "certificate": .text(certificate(of: .coturn)),
            "privateKey": .text(privateKey(of: .coturn)),
            "ciphers": .text(settings.tlsProfile == .old ? "DEFAULT" : TLSCiphers.forwardSecret.joined(separator: ":")),
            "loopback": .flag(isLoopbackOnly),
            "deniedPeers": .texts(Self.privateAddresses),
            "verbose": .flag(settings.logLevel == .debug),
            "database": .text(locations.work(of: .coturn) + "/turndb"),
            "pidFile": .text(locations.work(of: .coturn) + "/turnserver.pid"),
        ]
        let text = try locations.render(template: "coturn/turnserver.conf.template", .coturn, values)
        return RenderedFile(path: folder + "/turnserver.conf", text: text, service: .coturn, isSecret: true)
    }

    /// What is not the public Internet (IANA's special-purpose address registries, RFC 6890).
    private static let privateAddresses = [
        "0.0.0.0-0.255.255.255", "10.0.0.0-10.255.255.255", "100.64.0.0-100.127.255.255", "127.0.0.0-127.255.255.255",
        "169.254.0.0-169.254.255.255", "172.16.0.0-172.31.255.255", "192.0.0.0-192.0.0.255", "192.0.2.0-192.0.2.255",
        "192.88.99.0-192.88.99.255", "192.168.0.0-192.168.255.255", "198.18.0.0-198.19.255.255", "198.51.100.0-198.51.100.255",
        "203.0.113.0-203.0.113.255", "224.0.0.0-255.255.255.255",
        "::-::ffff:ffff", "::ffff:0.0.0.0-::ffff:255.255.255.255", "64:ff9b::-64:ff9b::ffff:ffff", "100::-100::ffff:ffff:ffff:ffff",
        "2001::-2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2002::-2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "ff00::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ]
}
