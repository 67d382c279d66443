import CertificateStore
import Glibc
import PebbleFixture
import Testing

@Suite("Issuing that fails")
struct IssueFailureTests {
    @Test("a name that cannot be reached is named, with what the CA saw")
    func refusedConnection() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench) { pebble throws in
                try pebble.setAddress(of: "share.example.org", to: "127.0.0.2")
                let run = try await CertificateProgramRun.of(bench.issue(from: pebble, ["--listen", "127.0.0.1:\(pebble.httpPort)"]))
                #expect(run.exitCode == 1)
                let failure = try #require(run.failure)
                #expect(failure.kind == .validation)
                #expect(failure.error == "the certificate authority could not validate share.example.org")
                #expect(failure.cause?.contains("connection refused") == true, "\(run.errors)")
                #expect(try bench.store.current() == nil)
            }
        }
    }

    @Test("a name whose DNS fails and a name that answers wrongly are both named, each with its reason")
    func twoReasons() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench) { pebble throws in
                try pebble.breakDNS(of: "groups.example.org")
                let wrong = """
                    server { listen 127.0.0.1:\(pebble.httpPort); server_name share.example.org; location / { return 200 "hello"; } }
                    """
                try await nginx(bench, port: pebble.httpPort, server: wrong) {
                    let run = try await CertificateProgramRun.of(bench.issue(from: pebble, ["--webroot", bench.path("www")]))
                    #expect(run.exitCode == 1)
                    let cause = try #require(run.failure?.cause)
                    #expect(cause.contains("groups.example.org: could not connect") && cause.contains("could not resolve"), "\(cause)")
                    #expect(cause.contains("share.example.org: wrong answer"), "\(cause)")
                    #expect(!cause.contains("; example.org:"))
                    #expect(run.errors.contains("snikket-certs: cause: "))
                }
            }
        }
    }

    @Test("a CA that nobody answers for is told apart: try again later")
    func unreachable() async throws {
        try await Workbench.with { bench throws in
            let port = try Loopback.freePort()
            let run = try await CertificateProgramRun.of([
                "issue", "--directory", "https://127.0.0.1:\(port)/dir", "--name", "example.org", "--listen", "127.0.0.1:\(try Loopback.freePort())",
                "--state", bench.path("acme"), "--output", bench.path("certificates"),
            ])
            #expect(run.exitCode == 75)
            #expect(run.failure?.kind == .unreachable)
            #expect(run.failure?.error == "cannot reach the certificate authority 127.0.0.1:\(port)")
        }
    }

    @Test("a CA whose certificate is not trusted is not talked to")
    func untrusted() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench) { pebble throws in
                var arguments = bench.issue(from: pebble, ["--listen", "127.0.0.1:\(pebble.httpPort)"])
                arguments.removeAll { $0 == "--ca-bundle" || $0 == pebble.roots }
                let run = try await CertificateProgramRun.of(arguments)
                #expect(run.exitCode == 75)
                #expect(run.failure?.try?.contains("clock") == true)
            }
        }
    }

    @Test("a CA that wants an account arranged beforehand is a matter of configuration")
    func externalAccount() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench, .init(requiresExternalAccount: true)) { pebble throws in
                let run = try await CertificateProgramRun.of(bench.issue(from: pebble, ["--listen", "127.0.0.1:\(pebble.httpPort)"]))
                #expect(run.exitCode == 78)
                #expect(run.failure?.kind == .externalAccount, "\(run.errors)")
            }
        }
    }

    @Test("a port that is taken, and a web root that cannot be, are found before the CA is asked")
    func local() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench) { pebble throws in
                let port = pebble.directory.split(separator: ":")[2].prefix { $0 != "/" }
                let taken = try await CertificateProgramRun.of(bench.issue(from: pebble, ["--listen", "127.0.0.1:\(port)"]))
                #expect(taken.exitCode == 1)
                #expect(taken.failure?.kind == .listen)
                #expect(taken.failure?.cause == "address already in use")

                let root = try bench.write("file", "not a folder")
                let blocked = try await CertificateProgramRun.of(bench.issue(from: pebble, ["--webroot", root]))
                #expect(blocked.failure?.kind == .webroot)
                #expect(blocked.failure?.cause?.hasPrefix(root) == true)
            }
        }
    }

    @Test(
        "a wrong command line or name changes nothing",
        arguments: zip(
            [["--name=exa mple.org"], ["--name=example.org,DNS:evil.org"], ["--name=-a.org"], ["--name="], []],
            [Int32(78), 78, 78, 64, 64]))
    func wrongInput(_ names: [String], code: Int32) async throws {
        try await Workbench.with { bench throws in
            let run = try await CertificateProgramRun.of(
                [
                    "issue", "--directory", "https://127.0.0.1:1/dir", "--listen", "127.0.0.1:0", "--state", bench.path("acme"), "--output",
                    bench.path("certificates"),
                ] + names)
            #expect(run.exitCode == code, "\(run.errors)")
            #expect(access(bench.path("certificates"), F_OK) != 0)
        }
    }
}
