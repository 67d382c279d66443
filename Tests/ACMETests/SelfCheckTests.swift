import ACME
import CertificateStore
import Curl
import Glibc
import PebbleFixture
import Testing

@Suite("The self-check before the CA is asked")
struct SelfCheckTests {
    /// The option that says where the CA finds the names.
    static func resolve(_ pebble: Pebble, _ addresses: [String: String] = [:], port: Int? = nil) -> [String] {
        Workbench.names.flatMap { ["--resolve", "\($0):\(port ?? pebble.httpPort):\(addresses[$0] ?? "127.0.0.1")"] }
    }

    @Test("answers that are in place are found, and the certificate comes")
    func found() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench) { pebble throws in
                let run = try await CertificateProgramRun.of(
                    bench.issue(from: pebble, ["--listen", "127.0.0.1:\(pebble.httpPort)", "--trace"] + Self.resolve(pebble)))
                try #require(run.exitCode == 0, "\(run.errors)")
                #expect(run.errors.split(separator: "\n").filter { $0.contains("http://") && $0.hasPrefix("200 GET") }.count == 3)
            }
        }
    }

    @Test("a closed port costs no validation at the CA, and is named with its address")
    func closedPort() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench) { pebble throws in
                let run = try await CertificateProgramRun.of(
                    bench.issue(
                        from: pebble,
                        ["--listen", "127.0.0.1:\(pebble.httpPort)", "--trace"] + Self.resolve(pebble, ["share.example.org": "127.0.0.2"])))
                #expect(run.exitCode == 1)
                let failure = try #require(run.failure)
                #expect(failure.kind == .validation)
                #expect(failure.error == "the certificate authority would not find the challenge of share.example.org")
                #expect(failure.cause == "share.example.org: nobody answers at 127.0.0.2 port \(pebble.httpPort): connection refused")
                #expect(!run.errors.contains("/chalZ/"), "no challenge was answered: \(run.errors)")
            }
        }
    }

    @Test("a record that points to another web server is told by what that one answers, without its control characters")
    func wrongServer() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench) { pebble throws in
                let other = try Loopback.freePort()
                let server = "server { listen 127.0.0.3:\(other); location / { return 200 \"not\\u001bhere\u{1b}[31m\"; } }"
                try await nginx(bench, port: other, server: server) {
                    let names = ["--resolve", "example.org:\(other):127.0.0.3", "--resolve", "groups.example.org:\(other):127.0.0.1"]
                    let run = try await CertificateProgramRun.of(
                        bench.issue(
                            from: pebble, ["--listen", "127.0.0.1:\(pebble.httpPort)", "--trace"] + names,
                            names: ["example.org", "groups.example.org"]))
                    #expect(run.exitCode == 1)
                    let cause = try #require(run.failure?.cause)
                    #expect(cause.contains("example.org: 127.0.0.3 port \(other) answers 200 'not"), "\(cause)")
                    #expect(cause.contains("groups.example.org: 127.0.0.1 port \(other) answers 404"), "\(cause)")
                    #expect(!cause.contains("\u{1b}"))
                    #expect(!run.errors.contains("/chalZ/"))
                }
            }
        }
    }

    @Test("redirects are followed as the CA follows them")
    func redirect() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench) { pebble throws in
                let moved = try Loopback.freePort()
                let server = "server { listen 127.0.0.3:\(moved); location / { return 301 http://127.0.0.1:\(pebble.httpPort)$request_uri; } }"
                try await nginx(bench, port: moved, server: server) {
                    let run = try await CertificateProgramRun.of(
                        bench.issue(
                            from: pebble, ["--listen", "127.0.0.1:\(pebble.httpPort)", "--resolve", "example.org:\(moved):127.0.0.3"],
                            names: ["example.org"]))
                    #expect(run.exitCode == 0, "\(run.errors)")
                }
            }
        }
    }

    @Test("a private CA is asked without a look, unless one is wanted")
    func privateAuthority() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench) { pebble throws in
                // Loopback answers for names below localhost, and port 1 is closed.
                let arguments = bench.issue(from: pebble, ["--listen", "127.0.0.1:\(pebble.httpPort)"], names: ["a.localhost"])
                let wanted = try await CertificateProgramRun.of(arguments + ["--http-port", "1"])
                #expect(wanted.failure?.kind == .validation)
                #expect(wanted.failure?.error.contains("would not find") == true, "\(wanted.errors)")
                let refused = try await CertificateProgramRun.of(arguments + ["--http-port", "1", "--no-self-check"])
                #expect(refused.exitCode == 0, "\(refused.errors)")
                let plain = try await CertificateProgramRun.of(arguments)
                #expect(plain.exitCode == 0, "\(plain.errors)")
            }
        }
    }

    @Test(
        "NAME:PORT:ADDR is read with both kinds of address, and nothing else is",
        arguments: zip(
            ["a.b:80:192.0.2.1", "A.B:5002:[2001:db8::1]", "a:80:::1", "a:0:192.0.2.1", "a:80:b", "a:80", ""],
            [true, true, true, false, false, false, false]))
    func resolutions(_ text: String, isGood: Bool) {
        #expect((Resolution(text) != nil) == isGood)
    }
}
