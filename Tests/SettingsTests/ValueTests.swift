import Settings
import Testing

@Suite("Values")
struct ValueTests {
    @Test("on and off have the spellings that people use")
    func flags() throws {
        for on in ["on", "ON", "yes", "y", "Y", "true", "True", "1"] { #expect(try settings("SNIKKET_TWEAK_IPV6=\(on)").ipv6, "\(on)") }
        for off in ["off", "no", "N", "false", "FALSE", "0"] { #expect(try !settings("SNIKKET_TWEAK_IPV6=\(off)").ipv6, "\(off)") }
        #expect(problems(with: "SNIKKET_TWEAK_IPV6=maybe").map(\.kind) == [.notOneOf("maybe", ["on", "off"])])
    }

    @Test(
        "a number out of bounds, or that is none, is refused",
        arguments: [
            ("SNIKKET_RETENTION_DAYS", "0", .outOfRange("0", lowest: "1", highest: "36500")),
            ("SNIKKET_RETENTION_DAYS", "-1", .outOfRange("-1", lowest: "1", highest: "36500")),
            ("SNIKKET_RETENTION_DAYS", "99999999999999999999", .outOfRange("99999999999999999999", lowest: "1", highest: "36500")),
            ("SNIKKET_RETENTION_DAYS", "seven", .notANumber("seven")),
            ("SNIKKET_RETENTION_DAYS", "7 days", .notANumber("7 days")),
            ("SNIKKET_RETENTION_DAYS", "7.5", .notANumber("7.5")),
            ("SNIKKET_RETENTION_DAYS", "+7", .notANumber("+7")),
            ("SNIKKET_RETENTION_DAYS", "0x7", .notANumber("0x7")),
            ("SNIKKET_RETENTION_DAYS", "-", .notANumber("-")),
            ("SNIKKET_RETENTION_DAYS", "٧", .notANumber("٧")),
            ("SNIKKET_UPLOAD_STORAGE_GB", "nan", .notANumber("nan")),
            ("SNIKKET_UPLOAD_STORAGE_GB", "1e3", .notANumber("1e3")),
            ("SNIKKET_UPLOAD_STORAGE_GB", "1.2.3", .notANumber("1.2.3")),
            ("SNIKKET_UPLOAD_STORAGE_GB", "0", .outOfRange("0", lowest: "0.01", highest: "1000000")),
            ("SNIKKET_TWEAK_HTTP_PORT", "70000", .outOfRange("70000", lowest: "1", highest: "65535")),
            ("SNIKKET_TWEAK_HTTP_PORT", "0", .outOfRange("0", lowest: "1", highest: "65535")),
        ] as [(String, String, Problem.Kind)])
    func numbers(option: String, value: String, kind: Problem.Kind) {
        #expect(problems(with: "\(option)=\(value)") == [Problem(line: 3, option: option, kind: kind)])
    }

    @Test("every number is found where the other parts look for it")
    func numberPlaces() throws {
        let settings = try settings(
            "SNIKKET_RETENTION_DAYS=30", "SNIKKET_UPLOAD_STORAGE_GB=12.5", "SNIKKET_DAILY_UPLOAD_LIMIT_PER_USER_GB=2",
            "SNIKKET_UPLOAD_LIMIT_MB=250",
            "SNIKKET_MAX_USER_CLIENTS=5", "SNIKKET_TWEAK_HTTP_PORT=8080", "SNIKKET_TWEAK_HTTPS_PORT=8443",
            "SNIKKET_TWEAK_XMPP_CLIENT_PORT=15222",
            "SNIKKET_TWEAK_XMPP_CLIENT_TLS_PORT=15223", "SNIKKET_TWEAK_XMPP_SERVER_PORT=15269", "SNIKKET_TWEAK_XMPP_SERVER_TLS_PORT=15270",
            "SNIKKET_PROXY65_PORT=15000", "SNIKKET_TWEAK_TURNSERVER_PORT=13478", "SNIKKET_TWEAK_TURNSERVER_TLS_PORT=15349",
            "SNIKKET_TWEAK_INTERNAL_HTTP_PORT=15280", "SNIKKET_TWEAK_TURNSERVER_MIN_PORT=40000", "SNIKKET_TWEAK_TURNSERVER_MAX_PORT=40100")
        var ports = Ports()
        (ports.http, ports.https, ports.xmppClient, ports.xmppClientTLS) = (8080, 8443, 15222, 15223)
        (ports.xmppServer, ports.xmppServerTLS, ports.proxy65) = (15269, 15270, 15000)
        (ports.turn, ports.turnTLS, ports.internalHTTP) = (13478, 15349, 15280)
        #expect(settings.ports == ports)
        #expect(settings.retentionDays == 30)
        #expect(settings.uploadStorageGigabytes == 12.5)
        #expect(settings.dailyUploadLimitGigabytes == 2)
        #expect(settings.uploadLimitMegabytes == 250)
        #expect(settings.maximumClientsPerUser == 5)
        #expect(settings.turn.minimumRelayPort == 40000)
        #expect(settings.turn.maximumRelayPort == 40100)
        #expect(settings.webURL == "https://chat.example.org:8443")
        #expect(settings.uploadBaseURL == "https://share.chat.example.org:8443/upload")
        #expect(settings.invitationURL == "https://chat.example.org:8443/invite/{token}/")
    }

    @Test("every word is found where the other parts look for it")
    func wordPlaces() throws {
        let settings = try settings(
            "SNIKKET_LOGLEVEL=Debug", "SNIKKET_TLS_PROFILE=old", "SNIKKET_FEDERATION=off", "SNIKKET_ABUSE_EMAIL=abuse@example.org",
            "SNIKKET_SECURITY_EMAIL=sec@example.org", "SNIKKET_TOS_URI=https://example.org/tos",
            "SNIKKET_PRIVACY_URI=mailto:me@example.org",
            "SNIKKET_INVITE_URL=https://join.example.org/#{invite.token}", "SNIKKET_TWEAK_TURNSERVER=0",
            "SNIKKET_TWEAK_TURNSERVER_DOMAIN=turn.bücher.example", "SNIKKET_TWEAK_TURNSERVER_SECRET=s3;c\"ret",
            "SNIKKET_TWEAK_TURNSERVER_INTERNAL_IP=10.0.0.5", "SNIKKET_TWEAK_LISTEN_ADDRESSES=127.0.0.1, 2001:DB8:0::1 127.0.0.1")
        #expect(settings.logLevel == .debug)
        #expect(settings.tlsProfile == .old)
        #expect(!settings.federation)
        #expect(settings.abuseEmail == "abuse@example.org")
        #expect(settings.securityEmail == "sec@example.org")
        #expect(settings.termsURI == "https://example.org/tos")
        #expect(settings.privacyURI == "mailto:me@example.org")
        #expect(settings.invitationURL == "https://join.example.org/#{token}")
        #expect(settings.listenAddresses == ["127.0.0.1", "2001:db8::1"])
        #expect(
            settings.turn
                == .init(
                    enabled: false, host: "turn.xn--bcher-kva.example", secret: "s3;c\"ret", minimumRelayPort: 49152,
                    maximumRelayPort: 65535,
                    internalAddress: "10.0.0.5"))
    }

    @Test(
        "what is no web address is refused, with the reason",
        arguments: [
            ("javascript:alert(1)", .scheme), ("ftp://example.org", .scheme), ("example.org/tos", .scheme), ("//example.org", .scheme),
            ("https:example.org", .noHost), ("https://", .noHost), ("https:///tos", .noHost), ("https://:443/", .noHost),
            ("https://exa$mple.org/", .noHost), ("https://example.org:99999/", .noHost), ("https://[::1", .noHost), ("mailto:me", .noHost),
            ("https://example.org/a b", .badCharacter(" ")), ("https://example.org/\"", .badCharacter("\"")),
            ("https://example.org/<script>", .badCharacter("<")), ("https://example.org/{x}", .badCharacter("{")),
            ("https://bücher.example/", .badCharacter("ü")), ("https://example.org/\\", .badCharacter("\\")),
        ] as [(String, Problem.URIProblem)])
    func badURI(value: String, problem: Problem.URIProblem) {
        #expect(problems(with: "SNIKKET_TOS_URI=\(value)").map(\.kind) == [.notAURI(value, schemes: ["https", "http", "mailto"], problem)])
    }

    @Test(
        "a web address may have all that RFC 3986 gives it",
        arguments: [
            "https://example.org", "http://example.org:8080/a/b?c=d&e=f#g", "HTTPS://Example.org/%C3%BC", "https://[2001:db8::1]:443/",
            "https://me@example.org/~x/(y);z='1'!*$,", "mailto:me@example.org?subject=chat",
        ])
    func goodURI(value: String) throws {
        #expect(try settings("SNIKKET_TOS_URI=\(value)").termsURI == value)
    }

    @Test(
        "an invitation's link has the token in it, and no other braces",
        arguments: [
            "https://example.org/", "https://example.org/{invite}", "https://example.org/{token}/{x}", "https://example.org/{token",
        ])
    func badTemplate(value: String) {
        #expect(problems(with: "SNIKKET_INVITE_URL=\(value)").map(\.kind) == [.notAURI(value, schemes: ["https", "http"], .noToken)])
    }

    @Test("an address of the machine is an IP address")
    func addresses() {
        #expect(problems(with: "SNIKKET_TWEAK_LISTEN_ADDRESSES=127.0.0.1,localhost").map(\.kind) == [.notAnAddress("localhost")])
        #expect(problems(with: "SNIKKET_TWEAK_LISTEN_ADDRESSES=,").map(\.kind) == [.notAnAddress(",")])
        #expect(problems(with: "SNIKKET_TWEAK_TURNSERVER_INTERNAL_IP=fe80::1%eth0").map(\.kind) == [.notAnAddress("fe80::1%eth0")])
    }

    @Test("a certificate of one's own needs both files")
    func files() throws {
        #expect(
            problems(with: "SNIKKET_CERTIFICATE=files", "SNIKKET_CERTIFICATE_KEY=/etc/key.pem") == [
                Problem(line: 3, option: "SNIKKET_CERTIFICATE_FULLCHAIN", kind: .missingFor(option: "SNIKKET_CERTIFICATE", value: "files"))
            ])
        #expect(
            problems(with: "SNIKKET_CERTIFICATE=files", "SNIKKET_CERTIFICATE_KEY=key.pem", "SNIKKET_CERTIFICATE_FULLCHAIN=/c.pem")
                == [Problem(line: 4, option: "SNIKKET_CERTIFICATE_KEY", kind: .notAPath("key.pem"))])
        let settings = try settings("SNIKKET_CERTIFICATE=files", "SNIKKET_CERTIFICATE_KEY=/k.pem", "SNIKKET_CERTIFICATE_FULLCHAIN=/c.pem")
        #expect(settings.certificates == .files(fullChain: "/c.pem", privateKey: "/k.pem"))
    }

    @Test("an authority of one's own, and the internal one")
    func authorities() throws {
        let pebble = try settings("SNIKKET_ACME_DIRECTORY=https://localhost:14000/dir", "SNIKKET_ACME_CA_BUNDLE=/tmp/pebble.pem")
        #expect(pebble.certificates == .acme(.init(directories: ["https://localhost:14000/dir"], caBundle: "/tmp/pebble.pem")))
        let several = try settings(
            "SNIKKET_ACME_DIRECTORY=https://a.org/dir, https://b.org/dir,https://a.org/dir", "SNIKKET_ACME_EAB_FILE=/etc/accounts")
        #expect(several.certificates == .acme(.init(directories: ["https://a.org/dir", "https://b.org/dir"], externalAccounts: "/etc/accounts")))
        #expect(problems(with: "SNIKKET_ACME_DIRECTORY=,").map(\.kind) == [.missing])
        #expect(try settings("SNIKKET_CERTIFICATE=internal").certificates == .internalAuthority)
        let directory = "http://localhost:14000/dir"
        #expect(problems(with: "SNIKKET_ACME_DIRECTORY=\(directory)").map(\.kind) == [.notAURI(directory, schemes: ["https"], .scheme)])
        #expect(problems(with: "SNIKKET_CERTIFICATE=certbot").map(\.kind) == [.notOneOf("certbot", ["acme", "files", "internal"])])
    }

    @Test(
        "what is given and not used is noticed",
        arguments: [
            ("SNIKKET_CERTIFICATE_KEY=/k.pem", "SNIKKET_CERTIFICATE_KEY"), ("PUID=1000", "PUID"),
            ("SNIKKET_TWEAK_DNSSEC=1", "SNIKKET_TWEAK_DNSSEC"),
            ("SNIKKET_TWEAK_PUSH2=1", "SNIKKET_TWEAK_PUSH2"), ("SNIKKET_LETSENCRYPT_TOS_AGREE=N", "SNIKKET_LETSENCRYPT_TOS_AGREE"),
        ])
    func notices(line: String, option: String) throws {
        let notices = try settings("", line).notices
        #expect(notices.map(\.option) == [option])
        #expect(notices.map(\.line) == [4])
        #expect(notices.allSatisfy { !$0.reason.isEmpty })
    }
}
