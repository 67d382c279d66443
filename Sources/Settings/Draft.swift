/// Settings while their options are being read: what an option's value is put into.
struct Draft {
    var settings = Settings(
        domain: "", webHost: "", adminEmail: "", siteName: "", certificates: .internalAuthority, challenge: .http, ports: Ports(),
        listenAddresses: [],
        webTLS: true, trustedProxies: [], proxyProtocol: false, sharesHTTPSPort: false, ipv4: true, ipv6: false,
        retentionDays: 0, uploadLimitMegabytes: 0, uploadStorageGigabytes: nil, dailyUploadLimitGigabytes: 0, maximumClientsPerUser: 0,
        logLevel: .info, tlsProfile: .modern, mailServer: nil, checksForUpdates: false, quietHours: nil, backups: .init(schedule: .off, keep: 1),
        upgrades: .init(automatic: .no),
        abuseEmail: nil, securityEmail: nil, termsURI: nil, privacyURI: nil, invitationURL: "",
        turn: .init(enabled: false, host: "", secret: nil, minimumRelayPort: 0, maximumRelayPort: 0, internalAddress: nil),
        federation: false, metricsListen: nil, containers: .init(network: .bridge), given: [:], notices: [])

    /// Where certificates come from, before the pieces are put together.
    var certificate = CertificateKind.acme
    var authorities = Settings.Authorities(directories: [])
    var challenge = ChallengeKind.http
    var dnsHook: String?
    var dnsServer: String?
    var dnsKeyFile: String?
    var fullChain: String?
    var privateKey: String?
    var webProtocols = WebProtocols.both
    /// Whether metrics are offered, also when it is not said where.
    var offersMetrics = false
    /// Whether the authority's terms were agreed to, when that was said at all.
    var agreesToTerms: Bool?

    /// The values of SNIKKET_CERTIFICATE.
    enum CertificateKind: String, CaseIterable, Sendable {
        case acme, files, `internal`
    }
}
