import Settings
import Testing

@Suite("Behind another web server")
struct FrontTests {
    @Test("without TLS of our own, links have the port of the server in front, and only this machine is listened to")
    func plain() throws {
        let other = settings
        let settings = try settings("SNIKKET_TWEAK_WEB_PROXY_PROTOS=http", "SNIKKET_TWEAK_HTTP_PORT=5080")
        #expect(settings.webURL == "https://chat.example.org")
        #expect(settings.invitationURL == "https://chat.example.org/invite/{token}/")
        #expect(settings.uploadBaseURL == "https://share.chat.example.org/upload")
        #expect(settings.proxies == ["127.0.0.1", "::1"])
        #expect(settings.webAddresses == ["127.0.0.1"])
        // The port for HTTPS is not used, so another option may have it.
        #expect(try other("SNIKKET_TWEAK_WEB_PROXY_PROTOS=http", "SNIKKET_TWEAK_TURNSERVER_TLS_PORT=443").ports.turnTLS == 443)
    }

    @Test("proxies are addresses and networks; one that is elsewhere reaches us on every address")
    func elsewhere() throws {
        let settings = try settings("SNIKKET_TRUSTED_PROXIES=192.0.2.0/24, 2001:DB8::1 127.0.0.1", "SNIKKET_PUBLIC_HTTPS_PORT=8443")
        #expect(settings.proxies == ["192.0.2.0/24", "2001:db8::1", "127.0.0.1"])
        #expect(settings.webAddresses == [])
        #expect(settings.webURL == "https://chat.example.org:8443")
        for bad in ["192.0.2.0/33", "2001:db8::/129", "192.0.2.0/", "192.0.2.0/-1", "proxy.example.org", "\"*\"", "&"] {
            #expect(problems(with: "SNIKKET_TRUSTED_PROXIES=\(bad)").count == 1, "\(bad)")
        }
    }

    @Test("what cannot work together is refused")
    func together() {
        #expect(
            problems(with: "SNIKKET_TWEAK_WEB_PROXY_PROTOS=http", "SNIKKET_CHALLENGE=tls-alpn-01") == [
                Problem(line: 4, option: "SNIKKET_CHALLENGE", kind: .excludedBy(option: "SNIKKET_TWEAK_WEB_PROXY_PROTOS"))
            ])
        #expect(
            problems(with: "SNIKKET_PROXY_PROTOCOL=on") == [
                Problem(line: 3, option: "SNIKKET_TRUSTED_PROXIES", kind: .missingBeside(option: "SNIKKET_PROXY_PROTOCOL"))
            ])
        #expect(
            problems(with: "SNIKKET_TWEAK_WEB_PROXY_PROTOS=ftp").map(\.kind) == [.notOneOf("ftp", ["http https", "http", "https"])])
    }

    @Test("a relay with a name of its own is found on the port for everything, and the certificate is for it too")
    func shared() throws {
        let named = try settings("SNIKKET_ALL_ON_HTTPS_PORT=on", "SNIKKET_TWEAK_TURNSERVER_DOMAIN=turn.example.org")
        #expect(named.relaysOnHTTPSPort)
        #expect(named.certificateNames.last == "turn.example.org")
        let plain = try settings("SNIKKET_ALL_ON_HTTPS_PORT=on")
        #expect(!plain.relaysOnHTTPSPort && plain.certificateNames.count == 3)
        #expect(
            problems(with: "SNIKKET_ALL_ON_HTTPS_PORT=on", "SNIKKET_TWEAK_WEB_PROXY_PROTOS=http") == [
                Problem(line: 3, option: "SNIKKET_ALL_ON_HTTPS_PORT", kind: .excludedBy(option: "SNIKKET_TWEAK_WEB_PROXY_PROTOS"))
            ])
        #expect(
            problems(with: "SNIKKET_ALL_ON_HTTPS_PORT=on", "SNIKKET_INTERNAL_CLIENT_PORT=5222").map(\.kind) == [
                .portUsedTwice(port: 5222, by: "SNIKKET_TWEAK_XMPP_CLIENT_PORT")
            ])
    }

    @Test("with a host of its own, links and the relay are there, and addresses stay at the domain")
    func webHost() throws {
        let plain = try settings()
        #expect(!plain.isDomainElsewhere)
        let settings = try settings("SNIKKET_WEB_HOST=www.chat.example.net")
        #expect(settings.webURL == "https://www.chat.example.net")
        #expect(settings.invitationURL == "https://www.chat.example.net/invite/{token}/")
        #expect(settings.turn.host == "www.chat.example.net")
        #expect(settings.chatHost == "chat.example.org")
        #expect(settings.groupsHost == "groups.chat.example.org")
        #expect(
            settings.certificateNames == ["chat.example.org", "www.chat.example.net", "groups.chat.example.org", "share.chat.example.org"])
        #expect(settings.ownNames == ["www.chat.example.net", "groups.chat.example.org", "share.chat.example.org"])
        for bad in ["\"a b\"", "${x}.org", "*.example.org", "&a.example.org", "a:80", "\"a\\nb.org\""] {
            #expect(problems(with: "SNIKKET_WEB_HOST=\(bad)").count == 1, "\(bad)")
        }
    }

    @Test("an official file with https alone keeps its port for HTTP, and is told so")
    func httpsOnly() throws {
        let settings = try settings("SNIKKET_TWEAK_WEB_PROXY_PROTOS=https")
        #expect(settings.webTLS)
        #expect(settings.notices.map(\.option) == ["SNIKKET_TWEAK_WEB_PROXY_PROTOS"])
    }
}
