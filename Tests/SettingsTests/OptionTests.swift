import Settings
import Testing

@Suite("The declarations")
struct OptionTests {
    @Test("no option is declared twice, and each says what it is for in one sentence")
    func declarations() {
        #expect(Set(Settings.Option.all.map(\.name)).count == Settings.Option.all.count)
        for option in Settings.Option.all {
            #expect(option.summary.hasSuffix("."), "\(option.name)")
            #expect(option.summary.first?.isUppercase == true || option.name.hasSuffix("_IP"), "\(option.name)")
            #expect(Settings.Option.named(option.name)?.name == option.name)
        }
    }

    @Test("every default is a value that the option itself accepts")
    func defaults() throws {
        let settings = try settings()
        for option in Settings.Option.all {
            guard let value = settings.value(of: option) else { continue }
            #expect(throws: Never.self, "\(option.name)=\(value)") { try option.check(value) }
        }
    }

    @Test("what is secret is what nobody else may know")
    func secrets() {
        #expect(
            Settings.Option.all.filter(\.isSecret).map(\.name).sorted() == [
                "REPORT_DSN", "SNIKKET_SMTP_URL", "SNIKKET_TWEAK_TURNSERVER_SECRET", "SNIKKET_WEB_SECRET_KEY",
                "TWEAK_SNIKKET_BOOTSTRAP_SECRET",
            ])
    }

    /// Every option of the official Snikket, with a value that its documentation or its sources give.
    static let official = [
        "SNIKKET_LETSENCRYPT_TOS_AGREE": "N", "SNIKKET_SITE_NAME": "Example", "SNIKKET_RETENTION_DAYS": "7",
        "SNIKKET_UPLOAD_STORAGE_GB": "10",
        "SNIKKET_DAILY_UPLOAD_LIMIT_PER_USER_GB": "1", "SNIKKET_MAX_USER_CLIENTS": "10", "SNIKKET_LOGLEVEL": "info",
        "SNIKKET_UPDATE_CHECK": "0",
        "SNIKKET_ABUSE_EMAIL": "abuse@example.com", "SNIKKET_SECURITY_EMAIL": "security@example.com",
        "SNIKKET_TOS_URI": "https://example.com/tos",
        "SNIKKET_PRIVACY_URI": "https://example.com/privacy", "SNIKKET_TLS_PROFILE": "intermediate", "SNIKKET_PROXY65_PORT": "5001",
        "SNIKKET_SMTP_URL": "smtp://localhost:1025/;no-tls", "SNIKKET_INVITE_URL": "https://example.com/invite/{invite.token}/",
        "SNIKKET_CERTBOT_OPTIONS": "--server https://ca.example.com", "SNIKKET_CERTBOT_KEY_OPTIONS": "--reuse-key",
        "SNIKKET_CERTS_WAIT": "0",
        "REPORT_DSN": "https://key@sentry.example.com/1", "PUID": "1000", "PGID": "1000", "SNIKKET_WEB_AVATAR_CACHE_TTL": "1800",
        "SNIKKET_WEB_LANGUAGES": "en da de", "SNIKKET_WEB_APPLE_STORE_URL": "https://apps.apple.com/app/x",
        "SNIKKET_WEB_MAX_AVATAR_SIZE": "1048576",
        "SNIKKET_WEB_SHOW_METRICS": "true", "SNIKKET_WEB_SECRET_KEY": "hush", "SNIKKET_WEB_PROSODY_ENDPOINT": "http://localhost:5280/",
        "SNIKKET_WEB_DOMAIN": "example.com", "SNIKKET_WEB_SITE_NAME": "Example", "SNIKKET_WEB_TOS_URI": "https://example.com/tos",
        "SNIKKET_WEB_PRIVACY_URI": "https://example.com/privacy", "SNIKKET_WEB_ABUSE_EMAIL": "abuse@example.com",
        "SNIKKET_WEB_SECURITY_EMAIL": "security@example.com", "SNIKKET_WEB_PYENV": "/etc/portal/env.py",
        "TWEAK_SNIKKET_BOOTSTRAP_INDEX": "1",
        "TWEAK_SNIKKET_BOOTSTRAP_SECRET": "hush", "TWEAK_SNIKKET_BOOTSTRAP_TTL": "2419200", "SNIKKET_TWEAK_HTTP_PORT": "5080",
        "SNIKKET_TWEAK_HTTPS_PORT": "5443", "SNIKKET_TWEAK_HTTP_TLS_VERSIONS": "TLSv1.2 TLSv1.3",
        "SNIKKET_TWEAK_HTTP_TLS_CIPHERS": "ECDHE+AESGCM",
        "SNIKKET_TWEAK_WEB_PROXY_PROTOS": "http https", "SNIKKET_TWEAK_WEB_PROXY_PROTOCOLS": "http",
        "SNIKKET_TWEAK_WEB_PROXY_RELOAD_INTERVAL": "86400",
        "SNIKKET_TWEAK_INTERNAL_HTTP_PORT": "5281", "SNIKKET_TWEAK_INTERNAL_HTTP_INTERFACE": "127.0.0.1,::1",
        "SNIKKET_TWEAK_INTERNAL_HTTP_HOST": "localhost", "SNIKKET_TWEAK_PORTAL_INTERNAL_HTTP_PORT": "5765",
        "SNIKKET_TWEAK_PORTAL_INTERNAL_HTTP_INTERFACE": "127.0.0.1", "SNIKKET_TWEAK_PORTAL_INTERNAL_HTTP_HOST": "localhost",
        "SNIKKET_TWEAK_TURNSERVER": "1", "SNIKKET_TWEAK_TURNSERVER_DOMAIN": "turn.example.com", "SNIKKET_TWEAK_TURNSERVER_PORT": "3479",
        "SNIKKET_TWEAK_TURNSERVER_SECRET": "hush", "SNIKKET_TWEAK_TURNSERVER_MIN_PORT": "60000",
        "SNIKKET_TWEAK_TURNSERVER_MAX_PORT": "60100",
        "SNIKKET_TWEAK_TURNSERVER_INTERNAL_IP": "10.0.0.2", "SNIKKET_TWEAK_IPV6": "1", "SNIKKET_TWEAK_STORAGE": "sqlite",
        "SNIKKET_TWEAK_PROMETHEUS": "1", "SNIKKET_TWEAK_DNSSEC": "1", "SNIKKET_TWEAK_S2S_STATUS": "1", "SNIKKET_TWEAK_GC3": "1",
        "SNIKKET_TWEAK_REQUIRE_SASL2": "1", "SNIKKET_TWEAK_RESTRICTED_USERS_V2": "1", "SNIKKET_TWEAK_SHARE_PROXY": "1",
        "SNIKKET_TWEAK_SHARE_DOMAIN": "1", "SNIKKET_TWEAK_GENERAL_MUC": "hidden", "SNIKKET_TWEAK_EXTRA_CONFIG": "1",
        "SNIKKET_TWEAK_PUSH2": "1",
        "SNIKKET_TWEAK_TEST_MODE": "1",
    ]

    @Test("every official option is declared, and accepted alone", arguments: official.keys.sorted())
    func everyOfficialOption(name: String) throws {
        let value = try #require(Self.official[name])
        #expect(try settings("\(name)=\(value)").given[name] != nil)
    }

    @Test("an official snikket.conf with everything in it works unchanged")
    func wholeOfficialFile() throws {
        let lines = Self.official.sorted { $0.key < $1.key }.map { "# \($0.key)\n\($0.key)=\($0.value)\n" }
        let text = "SNIKKET_DOMAIN=example.com\nSNIKKET_ADMIN_EMAIL=admin@example.com\n" + lines.joined()
        let settings = try Settings(parsing: text, file: "snikket.conf")
        #expect(settings.given.count == Self.official.count + 2)
        #expect(settings.invitationURL == "https://example.com/invite/{token}/")
        // Whatever has no effect is said to have none, and nothing else is.
        let silent = Set(Settings.Option.all.filter { $0.effect != .now }.map(\.name)).intersection(Self.official.keys)
        #expect(Set(settings.notices.map(\.option)) == silent.union(["SNIKKET_LETSENCRYPT_TOS_AGREE"]))
    }

    @Test("the only options besides the official ones are ours")
    func ours() {
        let ours = Set(Settings.Option.all.map(\.name)).subtracting(Self.official.keys)
        #expect(
            ours == [
                "SNIKKET_DOMAIN", "SNIKKET_ADMIN_EMAIL", "SNIKKET_CONTAINER_NETWORK", "SNIKKET_CONTAINER_IMAGE", "SNIKKET_ACME_DIRECTORY",
                "SNIKKET_ACME_CA_BUNDLE", "SNIKKET_ACME_EAB_FILE",
                "SNIKKET_CERTIFICATE",
                "SNIKKET_CERTIFICATE_FULLCHAIN", "SNIKKET_CERTIFICATE_KEY", "SNIKKET_UPLOAD_LIMIT_MB", "SNIKKET_FEDERATION", "SNIKKET_METRICS_LISTEN",
                "SNIKKET_UPGRADES", "SNIKKET_RELEASES",
                "SNIKKET_TWEAK_LISTEN_ADDRESSES", "SNIKKET_TWEAK_XMPP_CLIENT_PORT", "SNIKKET_TWEAK_XMPP_CLIENT_TLS_PORT",
                "SNIKKET_TWEAK_XMPP_SERVER_PORT", "SNIKKET_TWEAK_XMPP_SERVER_TLS_PORT", "SNIKKET_TWEAK_TURNSERVER_TLS_PORT",
                "SNIKKET_CHALLENGE", "SNIKKET_DNS_HOOK", "SNIKKET_DNS_SERVER", "SNIKKET_DNS_TSIG_KEY_FILE",
                "SNIKKET_BACKUP_SCHEDULE", "SNIKKET_BACKUP_KEEP", "SNIKKET_BACKUP_DIRECTORY", "SNIKKET_BACKUP_COMMAND", "SNIKKET_BACKUP_RECIPIENT",
                "SNIKKET_QUIET_HOURS",
                "SNIKKET_IPV4", "SNIKKET_WEB_HOST", "SNIKKET_TURN_EXTERNAL_IP", "SNIKKET_TRUSTED_PROXIES", "SNIKKET_PROXY_PROTOCOL",
                "SNIKKET_PUBLIC_HTTP_PORT",
                "SNIKKET_PUBLIC_HTTPS_PORT", "SNIKKET_ALL_ON_HTTPS_PORT", "SNIKKET_INTERNAL_CLIENT_PORT", "SNIKKET_INTERNAL_SERVER_PORT",
            ])
    }
}
