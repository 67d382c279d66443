/// What the person wants, validated: the result of reading snikket.conf.
///
/// Host names are in their ASCII form (RFC 5890 A-labels), lower case. Every default is stated once, in
/// the option's declaration.
public struct Settings: Sendable, Equatable {
    /// The chat service's domain: the part after the @ of everybody's address.
    public var domain: String
    /// The host that serves: web pages, and where SRV records lead. The domain, unless set, for a domain that is already a website.
    public var webHost: String
    /// The administrator's e-mail address; also the contact that the certificate authority keeps.
    public var adminEmail: String
    /// What people see as the service's name. The domain, unless set.
    public var siteName: String
    /// Where the certificate comes from.
    public var certificates: CertificateSource
    /// How the certificate authority is shown that the names are ours.
    public var challenge: Challenge
    /// Every port that something listens on.
    public var ports: Ports
    /// The addresses to listen on; empty means all. `snikket try` uses loopback only.
    public var listenAddresses: [String]
    /// Whether our web server speaks TLS itself.
    public var webTLS: Bool
    /// The web servers in front of ours, as far as they were named.
    public var trustedProxies: [String]
    /// Whether they say who a connection is from before it begins (the PROXY protocol).
    public var proxyProtocol: Bool
    /// The ports on which the internet finds the web pages, where that was said.
    public var givenPublicHTTPPort: Int?
    public var givenPublicHTTPSPort: Int?
    /// Whether apps, other servers and calls can come in on the HTTPS port too, told apart by the protocol that they ask for.
    public var sharesHTTPSPort: Bool
    /// Whether to use IPv4.
    public var ipv4: Bool
    /// Whether to use IPv6.
    public var ipv6: Bool
    /// How long archived messages and uploaded files are kept, in days.
    public var retentionDays: Int
    /// The largest single upload, in mebibytes.
    public var uploadLimitMegabytes: Int
    /// The space for all uploads together, in gigabytes; nil is unlimited.
    public var uploadStorageGigabytes: Double?
    /// What one person may upload in a day, in gigabytes.
    public var dailyUploadLimitGigabytes: Double
    /// How many devices one account may connect at the same time.
    public var maximumClientsPerUser: Int
    /// How much the servers log.
    public var logLevel: LogLevel
    /// Mozilla's server-side TLS profile for XMPP.
    public var tlsProfile: TLSProfile
    /// By which server e-mail is sent to the administrator; nil: none is.
    public var mailServer: MailServer?
    /// Whether the administrators are told when an upgrade is waiting.
    public var checksForUpdates: Bool
    /// When servers are started again for an upgrade, and backups made; nil: whenever there is a reason.
    public var quietHours: QuietHours?
    /// Backups that are made by themselves.
    public var backups: Backups
    /// Upgrades of this program that come by themselves.
    public var upgrades: Upgrades
    /// Where abuse is reported (XEP-0157); nil when not given.
    public var abuseEmail: String?
    /// Where security problems are reported (XEP-0157, RFC 9116); nil when not given.
    public var securityEmail: String?
    /// The terms of service; nil when not given.
    public var termsURI: String?
    /// The privacy policy; nil when not given.
    public var privacyURI: String?
    /// The link in an invitation, with `{token}` where the token goes.
    public var invitationURL: String
    /// Calls through NAT.
    public var turn: TURN
    /// Whether servers of other domains can be reached and reach us. `snikket try` switches it off.
    public var federation: Bool
    /// Where metrics are offered; nil: they are not.
    public var metricsListen: ListenAddress?
    /// The appliance in containers.
    public var containers: Containers
    /// Every option that was set, by its name in snikket.conf, in its usual form: for `config show`.
    public var given: [String: String]
    /// What was set and does nothing here, or not yet.
    public var notices: [Notice]

    /// Where the certificate comes from.
    public enum CertificateSource: Sendable, Equatable {
        /// Authorities that speak ACME (RFC 8555).
        case acme(Authorities)
        /// The person's own PEM files.
        case files(fullChain: String, privateKey: String)
        /// A certificate authority made and kept in the state directory.
        case internalAuthority
    }

    /// The certificate authorities to ask.
    public struct Authorities: Sendable, Equatable {
        /// Their directories (RFC 8555 §7.1.1): the one to ask first, then those for when it stays down.
        public var directories: [String]
        /// A PEM file of roots to trust instead of the system's when talking to them.
        public var caBundle: String?
        /// The file with accounts that were arranged beforehand (RFC 8555 §7.3.4); nil when there are none.
        public var externalAccounts: String?
        public init(directories: [String], caBundle: String? = nil, externalAccounts: String? = nil) {
            self.directories = directories
            self.caBundle = caBundle
            self.externalAccounts = externalAccounts
        }
    }

    /// How much the servers log.
    public enum LogLevel: String, Sendable, CaseIterable {
        case debug, info, warn, error
    }

    /// Mozilla's server-side TLS profiles.
    public enum TLSProfile: String, Sendable, CaseIterable {
        case modern, intermediate, old
    }

    /// Calls through NAT: the TURN server (RFC 8656) and how it is announced (XEP-0215).
    public struct TURN: Sendable, Equatable {
        /// Whether this appliance runs its own TURN server.
        public var enabled: Bool
        /// The host name that clients are told.
        public var host: String
        /// The secret shared with an external TURN server; nil when one is generated.
        public var secret: String?
        /// The lowest relay port (UDP).
        public var minimumRelayPort: Int
        /// The highest relay port (UDP).
        public var maximumRelayPort: Int
        /// This machine's own address when it is behind NAT; nil to find it.
        public var internalAddress: String?
        /// The address under which the internet knows this machine when it is behind NAT; nil to find it.
        public var externalAddress: String?
        public init(
            enabled: Bool, host: String, secret: String?, minimumRelayPort: Int, maximumRelayPort: Int, internalAddress: String?,
            externalAddress: String? = nil
        ) {
            self.enabled = enabled
            self.host = host
            self.secret = secret
            self.minimumRelayPort = minimumRelayPort
            self.maximumRelayPort = maximumRelayPort
            self.internalAddress = internalAddress
            self.externalAddress = externalAddress
        }
    }
}

extension Settings {
    /// An address on which the servers listen and that this machine reaches: for its own probes.
    public var ownAddress: String { listenAddresses.first ?? (ipv4 ? "127.0.0.1" : "::1") }
    /// The host name of group chats (XEP-0045).
    public var groupsHost: String { "groups.\(domain)" }
    /// The host name of shared files (XEP-0363).
    public var shareHost: String { "share.\(domain)" }
    /// The web portal's address, without a slash at the end.
    public var webURL: String { "https://\(webHost)\(publicPort)" }
    /// Below which uploaded files are found (XEP-0363), without a slash at the end. `share.localhost` cannot be counted
    /// on to resolve (RFC 6761 §6.3), so a domain that ends there uses its own name.
    public var uploadBaseURL: String {
        let isLocal = domain == "localhost" || domain.hasSuffix(".localhost")
        return "https://\(isLocal ? webHost : shareHost)\(publicPort)/upload"
    }
    /// The port as it appears in a URL: nothing when it is the scheme's own.
    private var publicPort: String { publicHTTPSPort == 443 ? "" : ":\(publicHTTPSPort)" }
    /// Every name that the certificate has to hold.
    public var certificateNames: [String] { (isDomainElsewhere ? [domain] : []) + ownNames }
    /// Every name that leads to this machine, the web pages' first.
    public var ownNames: [String] { [webHost, groupsHost, shareHost] + (hasRelayName ? [turn.host] : []) }
    /// Whether the domain itself is somebody else's website, and only the second half of addresses here.
    public var isDomainElsewhere: Bool { webHost != domain }
    /// Whether our own relay for calls has a name that nothing else has.
    private var hasRelayName: Bool { turn.enabled && ![domain, webHost, groupsHost, shareHost].contains(turn.host) }
    /// Whether the relay is found on the HTTPS port: most apps ask it for no protocol, so that it has to be known by its name.
    public var relaysOnHTTPSPort: Bool { sharesHTTPSPort && hasRelayName }
}
