import CertificateStore
import Glibc
import OpenSSL
import PebbleFixture
import Testing

@testable import ACME

@Suite("dns-01 by dynamic update (RFC 2136), with BIND")
struct DynamicUpdateTests {
    private static let secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ="

    /// BIND with the zone example.org, which the key may change.
    private func bind<Value: Sendable>(_ bench: Workbench, _ body: (_ port: Int) async throws -> Value) async throws -> Value {
        let port = try Loopback.freePort()
        let key = #"key "acme-key" { algorithm hmac-sha256; secret "\#(Self.secret)"; };"#
        try bench.write("tsig.key", key)
        try bench.write("zone", "$TTL 60\n@ SOA ns.example.org. admin.example.org. 1 3600 600 86400 60\n@ NS ns\n@ A 127.0.0.1\nns A 127.0.0.1\n")
        let configuration = try bench.write(
            "named.conf",
            """
            options { directory "\(bench.folder)"; listen-on port \(port) { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; pid-file none;
                session-keyfile "\(bench.path("session.key"))"; managed-keys-directory "\(bench.folder)"; dnssec-validation no; };
            controls {};
            \(key)
            zone "example.org" { type primary; file "zone"; update-policy { grant acme-key wildcard *.example.org. TXT; }; };
            """)
        return try await bench.running("named", ["-g", "-n", "1", "-c", configuration], named: "named", port: port) { try await body(port) }
    }

    @Test("a name and its wildcard are certified, and nothing is left in the zone")
    func issue() async throws {
        try await Workbench.with { bench throws in
            try await bind(bench) { port throws in
                try await Pebble.with(bench, .init(dnsPort: port)) { pebble throws in
                    let names = ["*.example.org", "example.org"]
                    let how = ["--dns-server", "127.0.0.1:\(port)", "--tsig-key-file", bench.path("tsig.key")]
                    let run = try await CertificateProgramRun.of(bench.issue(from: pebble, how, names: names))
                    try #require(run.exitCode == 0, "\(run.errors)")
                    #expect(run.issued?.names.sorted() == names)
                    let log = try bench.read("named.log")
                    #expect(log.split(separator: "\n").filter { $0.contains("adding an RR") }.count == 2, "\(log)")
                    #expect(log.split(separator: "\n").filter { $0.contains("deleting an RR") }.count == 2)
                }
            }
        }
    }

    @Test("a wrong secret, another algorithm and a server without the zone are told apart")
    func refusals() async throws {
        try await Workbench.with { bench throws in
            try await bind(bench) { port throws in
                try await Pebble.with(bench, .init(dnsPort: port)) { pebble throws in
                    let how = ["--dns-server", "127.0.0.1:\(port)", "--tsig-key-file"]
                    let wrong = try bench.write("wrong.key", #"key "acme-key" { algorithm hmac-sha256; secret "d3Jvbmctd3Jvbmctd3Jvbmc="; };"#)
                    let refused = try await CertificateProgramRun.of(bench.issue(from: pebble, how + [wrong], names: ["example.org"]))
                    #expect(refused.exitCode == 1)
                    #expect(refused.failure?.cause?.contains("NOTAUTH") == true, "\(refused.errors)")
                    let weak = try bench.write("weak.key", #"key "acme-key" { algorithm hmac-md5; secret "d3Jvbmc="; };"#)
                    let algorithm = try await CertificateProgramRun.of(bench.issue(from: pebble, how + [weak], names: ["example.org"]))
                    #expect(algorithm.exitCode == 78)
                    let elsewhere = try await CertificateProgramRun.of(
                        bench.issue(from: pebble, how + [bench.path("tsig.key")], names: ["example.net"]))
                    #expect(elsewhere.exitCode == 1, "\(elsewhere.errors)")
                }
            }
        }
    }
}
