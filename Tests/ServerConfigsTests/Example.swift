import ServerConfigs
import Settings
import SystemPackage

/// The settings that have golden copies.
enum Example: String, CaseIterable {
    case minimal, everything, trial, onePort, sixOnly, behindProxy, behindRelay, behindSplitter, shared, website, relayElsewhere

    /// The settings, on free ports when a first port is given.
    func settings(firstPort: Int? = nil) throws -> Settings {
        var settings: Settings
        switch self {
        case .minimal:
            settings = try Settings(parsing: "SNIKKET_DOMAIN=chat.example\nSNIKKET_ADMIN_EMAIL=admin@chat.example\n", file: "snikket.conf")
        case .everything:
            settings = try Settings(parsing: "SNIKKET_DOMAIN=b\u{fc}cher.example\nSNIKKET_ADMIN_EMAIL=admin@chat.example\n", file: "snikket.conf")
            settings.siteName = "Our \"family\" & friends; $5 {{x}} \\ #1"
            settings.ports.https = 8443
            settings.ports.http = 8080
            settings.ipv6 = false
            settings.retentionDays = 30
            settings.uploadLimitMegabytes = 250
            settings.uploadStorageGigabytes = 20
            settings.dailyUploadLimitGigabytes = 2.5
            settings.maximumClientsPerUser = 3
            settings.logLevel = .debug
            settings.tlsProfile = .old
            settings.abuseEmail = "abuse@chat.example"
            settings.securityEmail = "security@chat.example"
            settings.termsURI = "https://chat.example/terms"
            settings.privacyURI = "https://chat.example/privacy"
            settings.invitationURL = "https://join.example/?t={token}"
            settings.metricsListen = ListenAddress(address: "127.0.0.1", port: 9105)
            settings.turn.secret = "with spaces \" and # in it"
            settings.turn.internalAddress = "127.0.0.1"
        case .onePort:
            settings = try Settings(
                parsing: "SNIKKET_DOMAIN=chat.example\nSNIKKET_ADMIN_EMAIL=admin@chat.example\nSNIKKET_CHALLENGE=tls-alpn-01\n", file: "snikket.conf")
        case .sixOnly:
            settings = try Settings(
                parsing: """
                    SNIKKET_DOMAIN=chat.example
                    SNIKKET_ADMIN_EMAIL=admin@chat.example
                    SNIKKET_IPV4=off
                    SNIKKET_TURN_EXTERNAL_IP=2001:db8::5
                    """, file: "snikket.conf")
        case .behindProxy:
            settings = try Settings(
                parsing: """
                    SNIKKET_DOMAIN=chat.example
                    SNIKKET_ADMIN_EMAIL=admin@chat.example
                    SNIKKET_TWEAK_WEB_PROXY_PROTOS=http
                    SNIKKET_TWEAK_HTTP_PORT=5080
                    """, file: "snikket.conf")
        case .behindRelay:
            settings = try Settings(
                parsing: """
                    SNIKKET_DOMAIN=b\u{fc}cher.example
                    SNIKKET_ADMIN_EMAIL=admin@chat.example
                    SNIKKET_TRUSTED_PROXIES=127.0.0.1 192.0.2.0/24
                    SNIKKET_PROXY_PROTOCOL=on
                    SNIKKET_TWEAK_HTTP_PORT=5080
                    SNIKKET_TWEAK_HTTPS_PORT=5443
                    SNIKKET_TWEAK_IPV6=off
                    """, file: "snikket.conf")
        case .behindSplitter:
            settings = try Settings(
                parsing: """
                    SNIKKET_DOMAIN=chat.example
                    SNIKKET_ADMIN_EMAIL=admin@chat.example
                    SNIKKET_TRUSTED_PROXIES=127.0.0.1
                    SNIKKET_TWEAK_HTTP_PORT=5080
                    SNIKKET_TWEAK_HTTPS_PORT=5443
                    SNIKKET_CHALLENGE=tls-alpn-01
                    """, file: "snikket.conf")
        case .shared:
            settings = try Settings(
                parsing: """
                    SNIKKET_DOMAIN=chat.example
                    SNIKKET_ADMIN_EMAIL=admin@chat.example
                    SNIKKET_ALL_ON_HTTPS_PORT=on
                    SNIKKET_TWEAK_TURNSERVER_DOMAIN=turn.chat.example
                    """, file: "snikket.conf")
        case .website:
            settings = try Settings(
                parsing: """
                    SNIKKET_DOMAIN=example.org
                    SNIKKET_ADMIN_EMAIL=admin@example.org
                    SNIKKET_WEB_HOST=chat.example.org
                    SNIKKET_TWEAK_WEB_PROXY_PROTOS=http
                    SNIKKET_TWEAK_HTTP_PORT=5080
                    """, file: "snikket.conf")
        case .relayElsewhere:
            settings = try Settings(
                parsing: """
                    SNIKKET_DOMAIN=chat.example
                    SNIKKET_ADMIN_EMAIL=admin@chat.example
                    SNIKKET_TWEAK_TURNSERVER=off
                    SNIKKET_TWEAK_TURNSERVER_DOMAIN=turn.example.net
                    SNIKKET_TWEAK_TURNSERVER_PORT=443
                    SNIKKET_TWEAK_TURNSERVER_SECRET='"hush": ${x} # not a comment'
                    """, file: "snikket.conf")
        case .trial: settings = Settings.forTrial(firstPort: firstPort ?? 5000)
        }
        if let firstPort, self != .trial {
            settings.ports = Ports(from: firstPort)
            settings.turn.minimumRelayPort = firstPort + 15
            settings.turn.maximumRelayPort = firstPort + 35
            settings.listenAddresses = ["127.0.0.1"]
        }
        return settings
    }

    /// A start that has come half way.
    static let progress = Progress(
        isStart: true,
        steps: [
            .init(.certificate, .ready), .init(.chat, .underWay(nil)), .init(.pages, .failed(next: "at 12:00:00 UTC")), .init(.calls, .waiting),
        ])

    /// The facts with everything that differs between machines fixed.
    func facts() throws -> ServerFacts {
        ServerFacts(
            settings: try settings(),
            locations: Locations(
                configuration: "/etc/snikket/snikket.conf", state: "/var/lib/snikket", run: "/run/snikket", templates: Checkout.templates),
            secrets: Secrets(api: String(repeating: "a1", count: 32), turn: String(repeating: "b2", count: 32)),
            publicAddress: self == .everything ? "203.0.113.9" : nil)
    }
}

/// Where the tests' own files are.
enum Checkout {
    static let tests = FilePath(#filePath).removingLastComponent()
    static let golden = tests.appending("Golden")

    /// The folder `templates`, beside Sources or above it.
    static var templates: String { tests.removingLastComponent().removingLastComponent().appending("templates").string }
}
