import Settings
import Testing

@Suite("Challenges")
struct ChallengeTests {
    private static let (kind, hook, server, key) = ("SNIKKET_CHALLENGE", "SNIKKET_DNS_HOOK", "SNIKKET_DNS_SERVER", "SNIKKET_DNS_TSIG_KEY_FILE")

    @Test("HTTP is what answers unless another challenge is chosen, and only then the HTTP port is needed")
    func kinds() throws {
        let plain = try settings()
        #expect(plain.challenge == .http && plain.needsHTTPPort && !plain.sortsHTTPSConnections)
        let tls = try settings("SNIKKET_CHALLENGE=TLS-ALPN-01")
        #expect(tls.challenge == .tlsALPN && !tls.needsHTTPPort && tls.sortsHTTPSConnections)
        let dns = try settings("SNIKKET_CHALLENGE=dns-01", "SNIKKET_DNS_HOOK=/usr/local/bin/zone")
        #expect(dns.challenge == .dns(.hook(program: "/usr/local/bin/zone")) && !dns.needsHTTPPort && !dns.sortsHTTPSConnections)
        #expect(problems(with: "SNIKKET_CHALLENGE=http-02").map(\.kind) == [.notOneOf("http-02", ["http-01", "tls-alpn-01", "dns-01"])])
    }

    @Test(
        "a DNS server is an address, with a port or without",
        arguments: [
            ("192.0.2.1", "192.0.2.1:53"), ("192.0.2.1:5353", "192.0.2.1:5353"), ("2001:DB8::1", "[2001:db8::1]:53"),
            ("[2001:db8:0::1]", "[2001:db8::1]:53"), ("[2001:db8::1]:5353", "[2001:db8::1]:5353"), ("::", "[::]:53"),
        ])
    func servers(text: String, normal: String) throws {
        let settings = try settings("SNIKKET_CHALLENGE=dns-01", "SNIKKET_DNS_SERVER=\(text)", "SNIKKET_DNS_TSIG_KEY_FILE=/etc/snikket/tsig.key")
        #expect(settings.challenge == .dns(.update(server: normal, keyFile: "/etc/snikket/tsig.key")))
        #expect(settings.given["SNIKKET_DNS_SERVER"] == normal)
    }

    @Test(
        "and nothing else",
        arguments: [
            "ns.example.org", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:53:53", "192.0.2.1:-5", "[192.0.2.1]:53", "[::1", "[::1]53",
            "[]:53", ":53", "192.0.2.1:99999999999999999999", "fe80::1%eth0",
        ])
    func noServers(text: String) {
        let found = problems(with: "SNIKKET_CHALLENGE=dns-01", "SNIKKET_DNS_SERVER=\(text)", "SNIKKET_DNS_TSIG_KEY_FILE=/k")
        #expect(found == [Problem(line: 4, option: Self.server, kind: .notAnAddress(text))])
    }

    @Test("dns-01 needs somebody who changes the zone, and only one")
    func combinations() {
        let dns = "SNIKKET_CHALLENGE=dns-01"
        let (hook, server, key) = ("SNIKKET_DNS_HOOK=/h", "SNIKKET_DNS_SERVER=192.0.2.1", "SNIKKET_DNS_TSIG_KEY_FILE=/k")
        #expect(problems(with: dns) == [Problem(line: 3, option: Self.kind, kind: .needsOneOf([Self.hook, Self.server]))])
        #expect(problems(with: dns, server) == [Problem(line: 4, option: Self.key, kind: .missingBeside(option: Self.server))])
        #expect(problems(with: dns, "", key) == [Problem(line: 5, option: Self.server, kind: .missingBeside(option: Self.key))])
        #expect(
            problems(with: dns, hook, server, key) == [
                Problem(line: 5, option: Self.server, kind: .excludedBy(option: Self.hook)),
                Problem(line: 6, option: Self.key, kind: .excludedBy(option: Self.hook)),
            ])
        #expect(problems(with: dns, "SNIKKET_DNS_HOOK=h").map(\.kind) == [.notAPath("h")])
    }

    @Test("what the chosen challenge, or source, has no use for is noticed")
    func unused() throws {
        let lines = ["SNIKKET_DNS_HOOK=/h", "SNIKKET_DNS_SERVER=192.0.2.1", "SNIKKET_DNS_TSIG_KEY_FILE=/k"]
        let http = try settings(lines[0], lines[1], lines[2])
        #expect(http.notices.map(\.option) == [Self.hook, Self.server, Self.key] && http.challenge == .http)
        let own = try settings("SNIKKET_CERTIFICATE=internal", "SNIKKET_CHALLENGE=tls-alpn-01", lines[0])
        #expect(own.notices.map(\.option) == [Self.kind, Self.hook])
        #expect(own.needsHTTPPort && !own.sortsHTTPSConnections)
    }
}
