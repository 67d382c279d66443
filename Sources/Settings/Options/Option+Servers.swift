extension Settings.Option {
    static let certificates: [Self] = [
        Self(
            "SNIKKET_CERTIFICATE", .choice, .value("acme"), .certificates, into: \.certificate,
            "Where the certificate comes from: acme gets one from an authority such as Let's Encrypt, files uses your own, internal makes one that only devices that you set up will trust."
        ),
        Self(
            "SNIKKET_ACME_DIRECTORY", .uris("https"), .value("https://acme-v02.api.letsencrypt.org/directory"), .certificates,
            into: \.authorities.directories,
            "The certificate authority: the address of its ACME directory (RFC 8555). Of several, the first is asked, and the next ones when it stays down."
        ),
        Self(
            "SNIKKET_ACME_EAB_FILE", .path, .none("no account is arranged beforehand"), .certificates, into: \.authorities.externalAccounts,
            "For authorities that want an account to be arranged with them first: a file, readable by root only, with a line for each of them: its directory, the key identifier and the MAC key (RFC 8555 §7.3.4)."
        ),
        Self(
            "SNIKKET_ACME_CA_BUNDLE", .path, .none("the system's roots"), .certificates, into: \.authorities.caBundle,
            "A PEM file with the roots to trust when talking to the certificate authority, for one inside your own network."),
        Self(
            "SNIKKET_CHALLENGE", .choice, .value("http-01"), .certificates, into: \.challenge,
            "How the authority is shown that the names are yours: http-01 needs port 80, tls-alpn-01 only port 443, dns-01 no port, but somebody who changes your DNS zone."
        ),
        Self(
            "SNIKKET_DNS_HOOK", .path, .none("needed for SNIKKET_CHALLENGE=dns-01, or a DNS server"), .certificates, into: \.dnsHook,
            "A program that puts a record into your DNS zone and takes it away, for dns-01: PROGRAM present|remove NAME RECORD VALUE."),
        Self(
            "SNIKKET_DNS_SERVER", .endpoint(port: 53), .none("needed for SNIKKET_CHALLENGE=dns-01, or a program"), .certificates,
            into: \.dnsServer, "The primary server of your DNS zone, when it takes changes (RFC 2136) for dns-01."),
        Self(
            "SNIKKET_DNS_TSIG_KEY_FILE", .path, .none("needed with SNIKKET_DNS_SERVER"), .certificates, into: \.dnsKeyFile,
            "The file with the key that signs those changes (RFC 8945), as `tsig-keygen` writes it."),
        Self(
            "SNIKKET_CERTIFICATE_FULLCHAIN", .path, .none("needed for SNIKKET_CERTIFICATE=files"), .certificates, into: \.fullChain,
            "Your own certificate: a PEM file with it and its intermediates, for the domain, groups.DOMAIN and share.DOMAIN."),
        Self(
            "SNIKKET_CERTIFICATE_KEY", .path, .none("needed for SNIKKET_CERTIFICATE=files"), .certificates, into: \.privateKey,
            "The private key of your own certificate: a PEM file without a passphrase."),
        Self(
            "SNIKKET_CERTBOT_OPTIONS", .text, .none("none"), .certificates,
            effect: .meaningless("certificates are not fetched by certbot; SNIKKET_ACME_DIRECTORY chooses the authority"),
            "More options for certbot."),
        Self(
            "SNIKKET_CERTBOT_KEY_OPTIONS", .text, .none("none"), .certificates,
            effect: .meaningless("certificates are not fetched by certbot; keys are always ECDSA P-256"),
            "Options for certbot about the key."),
        Self(
            "SNIKKET_CERTS_WAIT", .text, .none("none"), .certificates,
            effect: .meaningless("the certificate is asked for when the web server is ready, so nothing has to wait"),
            "Whether to wait for the web server before asking for a certificate."),
        Self(
            "REPORT_DSN", .text, .none("nothing is sent"), .certificates, effect: .meaningless("no error reports are sent to anybody"),
            secret: true,
            "Where to send reports of failed certificates."),
    ]

    static let servers: [Self] = [
        Self(
            "SNIKKET_LOGLEVEL", .choice, .value("info"), .servers, into: \.settings.logLevel,
            "How much the servers write to their logs; debug writes a lot, and about people."),
        Self(
            "SNIKKET_TLS_PROFILE", .choice, .value("modern"), .servers, into: \.settings.tlsProfile,
            "Which of Mozilla's TLS profiles apps and other servers have to meet; intermediate lets older ones in."),
        Self(
            "SNIKKET_MAX_USER_CLIENTS", .whole(1...1000), .value("10"), .servers, into: \.settings.maximumClientsPerUser,
            "How many devices one person may have connected at the same time."),
        Self(
            "SNIKKET_FEDERATION", .flag, .value("on"), .servers, into: \.settings.federation,
            "Whether people can talk to people on other servers."),
        Self(
            "SNIKKET_UPDATE_CHECK", .flag, .value("on"), .servers, into: \.settings.checksForUpdates,
            "Whether to tell the administrators when an upgrade is waiting to be installed."),
        Self(
            "SNIKKET_QUIET_HOURS", .hours, .none("at any time"), .servers, into: \.settings.quietHours,
            "When a server is started again because an upgrade of Debian's has replaced its program or a library of it, and when backups are made and upgrades installed by themselves."
        ),
        Self(
            "SNIKKET_SMTP_URL", .mailServer, .none("no e-mail is sent"), .servers, into: \.settings.mailServer, secret: true,
            "The mail server by which the administrator gets an e-mail when something needs a hand; smtp goes over to TLS, unless ;no-tls is added."),
        Self(
            "SNIKKET_IPV4", .flag, .value("on"), .servers, into: \.settings.ipv4,
            "Whether to use IPv4; switch it off on a machine that has IPv6 only. Where there is IPv4 all the same, the TURN server goes on answering there."
        ),
        Self(
            "SNIKKET_TWEAK_IPV6", .flag, .value("on"), .servers, into: \.settings.ipv6,
            "Whether to use IPv6; switch it off where it is broken."),
        Self(
            "SNIKKET_TWEAK_DNSSEC", .flag, .value("off"), .servers,
            effect: .later("connections between servers that are verified with DANE"),
            "Whether to verify other servers through DNSSEC (DANE, RFC 7673)."),
        Self(
            "SNIKKET_TWEAK_PROMETHEUS", .flag, .value("off"), .servers, into: \.offersMetrics,
            "Whether to offer metrics for Prometheus on this machine: at http://127.0.0.1:5282/metrics, or where SNIKKET_METRICS_LISTEN says."),
        Self(
            "SNIKKET_TWEAK_S2S_STATUS", .flag, .value("off"), .servers, effect: .later("the overview of other servers"),
            "Whether to keep a record of how connections to other servers fare."),
        Self(
            "SNIKKET_TWEAK_REQUIRE_SASL2", .flag, .value("off"), .servers, effect: .later("the switch for apps without SASL2"),
            "Whether to refuse apps that do not know SASL2 (XEP-0388)."),
        Self(
            "SNIKKET_TWEAK_RESTRICTED_USERS_V2", .flag, .value("off"), .servers, effect: .later("limited accounts"),
            "Whether limited accounts are restricted by the newer rules."),
        Self(
            "SNIKKET_TWEAK_GENERAL_MUC", .text, .none("no such room is made"), .servers, effect: .later("circles"),
            "What becomes of the old room for everybody: hidden or destroyed."),
        Self(
            "SNIKKET_TWEAK_SHARE_PROXY", .flag, .value("off"), .servers, effect: .later("the reverse proxy"),
            "Whether apps may reach shared files through the chat connection."),
        Self(
            "SNIKKET_TWEAK_SHARE_DOMAIN", .text, .none("share.DOMAIN is used"), .servers,
            effect: .meaningless("shared files are always at share.DOMAIN, which the certificate holds"),
            "Whether shared files have a host name of their own."),
        Self(
            "SNIKKET_TWEAK_GC3", .text, .none("not used"), .servers,
            effect: .meaningless("group chats are those of XEP-0045, which the apps know"),
            "An experiment with a new kind of group chat."),
        Self(
            "SNIKKET_TWEAK_EXTRA_CONFIG", .text, .none("no files are read"), .servers,
            effect: .meaningless("the chat server's configuration is made here and locked down; nothing is added to it"),
            "Whether to add configuration files of your own to the chat server's."),
        Self(
            "SNIKKET_TWEAK_PUSH2", .text, .none("not used"), .servers,
            effect: .meaningless("the newer protocol is not there; notifications as in XEP-0357, which the apps know, are always on"),
            "Whether to use the newer push notifications."),
    ]
}
