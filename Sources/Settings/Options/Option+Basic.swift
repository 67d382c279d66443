extension Settings.Option {
    static let basic: [Self] = [
        Self(
            "SNIKKET_DOMAIN", .domain(room: "groups.".count), .required, .basic, into: \.settings.domain,
            "The domain of the chat service, what stands behind the @ of everybody's address; it cannot be changed later."),
        Self(
            "SNIKKET_ADMIN_EMAIL", .email, .required, .basic, into: \.settings.adminEmail,
            "The administrator's e-mail address, for people who need help and for the certificate authority."),
        Self(
            "SNIKKET_LETSENCRYPT_TOS_AGREE", .flag, .none("using the authority is agreeing"), .basic, into: \.agreesToTerms,
            "Whether you agree to the terms of service of the certificate authority (Let's Encrypt); `snikket init` asks."),
    ]

    static let people: [Self] = [
        // First, for other defaults follow from it.
        Self(
            "SNIKKET_WEB_HOST", .domain(), .derived("the domain") { $0.domain }, .ports, into: \.settings.webHost,
            "The host that serves, when the domain itself is already a website: addresses are you@DOMAIN, and web pages, links and SRV records are this host's."
        ),
        Self(
            "SNIKKET_SITE_NAME", .text, .derived("the domain") { $0.domain }, .people, into: \.settings.siteName,
            "What people see as the name of the service."),
        Self(
            "SNIKKET_ABUSE_EMAIL", .email, .none("not published"), .people, into: \.settings.abuseEmail,
            "Where people of other servers report abuse (XEP-0157)."),
        Self(
            "SNIKKET_SECURITY_EMAIL", .email, .none("not published"), .people, into: \.settings.securityEmail,
            "Where security problems are reported: in the chat protocol (XEP-0157) and at https://DOMAIN/.well-known/security.txt (RFC 9116)."),
        Self(
            "SNIKKET_TOS_URI", .uri("https", "http", "mailto"), .none("no link"), .people, into: \.settings.termsURI,
            "The page with your terms of service, linked from the invitation."),
        Self(
            "SNIKKET_PRIVACY_URI", .uri("https", "http", "mailto"), .none("no link"), .people, into: \.settings.privacyURI,
            "The page with your privacy policy, linked from the invitation."),
        Self(
            "SNIKKET_INVITE_URL", .invitationURL,
            .derived("the portal's page: https://DOMAIN/invite/{token}/") { $0.webURL + "/invite/{token}/" },
            .people, into: \.settings.invitationURL,
            "The link in an invitation, for those who serve the invitation page somewhere else."),
    ]

    static let storage: [Self] = [
        Self(
            "SNIKKET_RETENTION_DAYS", .whole(1...36500, unit: "days"), .value("7"), .storage, into: \.settings.retentionDays,
            "How long archived messages and uploaded files are kept."),
        Self(
            "SNIKKET_UPLOAD_STORAGE_GB", .decimal(0.01...1_000_000, unit: "gigabytes"), .none("unlimited"), .storage,
            into: \.settings.uploadStorageGigabytes,
            "The space that all uploaded files together may take."),
        Self(
            "SNIKKET_DAILY_UPLOAD_LIMIT_PER_USER_GB", .decimal(0.01...1_000_000, unit: "gigabytes"), .value("1"), .storage,
            into: \.settings.dailyUploadLimitGigabytes,
            "What one person may upload in a day."),
        Self(
            "SNIKKET_UPLOAD_LIMIT_MB", .whole(1...10_240, unit: "mebibytes"), .value("100"), .storage,
            into: \.settings.uploadLimitMegabytes,
            "The largest file that can be shared; for the chat server and the web server together."),
        Self(
            "SNIKKET_TWEAK_STORAGE", .text, .value("sqlite"), .storage,
            effect: .meaningless("accounts and messages are always kept in SQLite, which can be backed up while it is in use"),
            "How the Docker-based Snikket stores data: files or sqlite."),
    ]
}
