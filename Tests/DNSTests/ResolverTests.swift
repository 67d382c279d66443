import DNS
import PebbleFixture
import Testing

@Suite("Questions to a real DNS server (BIND)")
struct ResolverTests {
    private let zone = """
        $TTL 60
        @ SOA ns admin 1 3600 600 86400 60
        @ NS ns
        ns A 127.0.0.1
        chat A 203.0.113.5
        chat AAAA 2001:db8::5
        groups.chat CNAME chat
        _xmpp-client._tcp.chat SRV 5 0 5222 chat
        long TXT \(String(repeating: "\"\(String(repeating: "x", count: 200))\" ", count: 12))
        strict CAA 0 issue "ca.net; validationmethods=http-01"

        """

    private func bind<Value: Sendable>(_ body: (_ server: String) async throws -> Value) async throws -> Value {
        try await Workbench.with { bench throws in
            let port = try Loopback.freePort()
            try bench.write("zone", zone)
            let configuration = try bench.write(
                "named.conf",
                """
                options { directory "\(bench.folder)"; listen-on port \(port) { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; pid-file none;
                    session-keyfile "\(bench.path("session.key"))"; managed-keys-directory "\(bench.folder)"; dnssec-validation no; };
                controls {};
                zone "example.org" { type primary; file "zone"; };
                """)
            return try await bench.running("named", ["-g", "-n", "1", "-c", configuration], named: "named", port: port) {
                try await body("127.0.0.1:\(port)")
            }
        }
    }

    @Test("addresses, aliases, services and policies are read as the server has them, and what fits no datagram comes over TCP")
    func records() async throws {
        try await bind { server throws in
            let resolver = Resolver([server])
            let address = try resolver.ask("chat.example.org", .address)
            #expect(address.answers(.address).compactMap(address.address) == ["203.0.113.5"])
            let alias = try resolver.ask("Groups.chat.example.org", .address6)
            #expect(alias.target(of: "Groups.chat.example.org") == "chat.example.org.")
            #expect(alias.answers(.address6).compactMap(alias.address) == ["2001:db8::5"])
            let service = try resolver.ask("_xmpp-client._tcp.chat.example.org", .service)
            #expect(
                service.answers(.service).compactMap(service.service) == [.init(priority: 5, weight: 0, port: 5222, target: "chat.example.org.")])
            let text = try resolver.ask("long.example.org", .text)
            #expect(text.answers(.text).map(text.text).map(\.count) == [2400])
            #expect(CAAPolicy(in: try resolver.ask("strict.example.org", .issuers))?.issuers() == ["ca.net"])
            let nobody = try resolver.ask("nobody.example.org", .address)
            #expect(nobody.code == 3 && nobody.answers.isEmpty)
        }
    }

    @Test("a resolver that is not there, or refuses, is passed over for the next; when none answers it is said within seconds")
    func failover() async throws {
        try await bind { server throws in
            let dead = "127.0.0.1:\(try Loopback.freePort())"
            #expect(try Resolver([dead, server]).ask("chat.example.org", .address).answers(.address).count == 1)
            #expect(throws: DNSError.refused(code: 5)) { _ = try Resolver([dead, server]).ask("example.net", .address) }
            #expect(throws: DNSError.connection(errno: 111)) { _ = try Resolver([dead]).ask("chat.example.org", .address) }
        }
        let start = ContinuousClock.now
        // A socket that takes datagrams and never answers.
        let silent = try Silence()
        #expect(throws: DNSError.connection(errno: 11)) { _ = try Resolver([silent.endpoint]).ask("chat.example.org", .address) }
        #expect(start.duration(to: .now) < .seconds(8))
    }

    @Test("the resolvers and search domains of a resolv.conf are found, three at most")
    func file() async throws {
        try await Workbench.with { bench throws in
            let path = try bench.write(
                "resolv.conf",
                "# a comment\nnameserver 192.0.2.1\nnameserver 2001:db8::1\nsearch example.org example.net\nnameserver 1\nnameserver 2\n")
            #expect(systemResolvers(in: path) == ["192.0.2.1:53", "[2001:db8::1]:53", "1:53"])
            #expect(ResolverFile(path)?.search == ["example.org", "example.net"])
            #expect(ResolverFile(bench.path("nothing")) == nil)
        }
    }
}
