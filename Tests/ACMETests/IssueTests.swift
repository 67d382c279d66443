import CertificateStore
import Glibc
import PebbleFixture
import Testing

@Suite("Issuing from Pebble")
struct IssueTests {
    @Test("three names are certified through the program's own listener, and the second time the account is known")
    func listener() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench) { pebble throws in
                let arguments = bench.issue(from: pebble, ["--listen", "127.0.0.1:\(pebble.httpPort)"])
                let first = try await CertificateProgramRun.of(arguments + ["--trace"])
                try #require(first.exitCode == 0, "\(first.errors)")
                #expect(first.issued?.names.sorted() == Workbench.names)
                #expect(try bench.store.current(covering: Workbench.names, now: time(nil))?.record == first.issued)
                // How often the order has to be looked at depends on how busy the machine is; and a CA that answers slowly is asked for nonces beforehand.
                #expect([12, 14].contains(first.errors.split(separator: "\n").filter { !$0.contains("/my-order/") }.count))
                #expect(first.errors.split(separator: "\n").filter { $0.contains("new connection") }.count == 1)
                #expect(try await bench.pairIsGood())
                for secret in ["certificates/privkey.pem", "acme/\(try accountFolder(pebble))/account.pem"] {
                    var status = stat()
                    #expect(stat(bench.path(secret), &status) == 0)
                    #expect(status.st_mode & 0o777 == 0o600)
                }

                let second = try await CertificateProgramRun.of(arguments + ["--trace"])
                try #require(second.exitCode == 0, "\(second.errors)")
                #expect(!second.errors.contains("sign-me-up"))
                #expect(second.issued?.serial != first.issued?.serial)
            }
        }
    }

    @Test("three names are certified through nginx and its web root, with nothing left in it")
    func webroot() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench) { pebble throws in
                try await nginx(bench, port: pebble.httpPort) {
                    let run = try await CertificateProgramRun.of(bench.issue(from: pebble, ["--webroot", bench.path("www")]))
                    try #require(run.exitCode == 0, "\(run.errors)")
                    #expect(try await bench.pairIsGood())
                    #expect(rmdir(bench.path("www/.well-known/acme-challenge")) == 0, "the folder is empty")
                }
            }
        }
    }

    @Test("an account that the CA has forgotten is made anew")
    func forgottenAccount() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench) { pebble throws in
                let arguments = bench.issue(from: pebble, ["--listen", "127.0.0.1:\(pebble.httpPort)"])
                let first = try await CertificateProgramRun.of(arguments)
                try #require(first.exitCode == 0, "\(first.errors)")
                let file = "acme/\(try accountFolder(pebble))/account.json"
                let known = try bench.read(file)
                try bench.write(file, known.replacing("my-account/", with: "my-account/forgotten"))
                let second = try await CertificateProgramRun.of(arguments)
                #expect(second.exitCode == 0, "\(second.errors)")
            }
        }
    }

    @Test("nine of ten nonces are refused, and the certificate comes all the same", arguments: 1...5)
    func refusedNonces(_ round: Int) async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench, .init(refusedNonces: 90)) { pebble throws in
                let run = try await CertificateProgramRun.of(bench.issue(from: pebble, ["--listen", "127.0.0.1:\(pebble.httpPort)"]))
                #expect(run.exitCode == 0, "\(run.errors)")
            }
        }
    }

    @Test("authorizations that are still valid are not asked for again")
    func validAuthorizations() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench, .init(reusedAuthorizations: 100)) { pebble throws in
                let arguments = bench.issue(from: pebble, ["--listen", "127.0.0.1:\(pebble.httpPort)"])
                let first = try await CertificateProgramRun.of(arguments)
                try #require(first.exitCode == 0, "\(first.errors)")
                let second = try await CertificateProgramRun.of(arguments + ["--trace"])
                #expect(second.exitCode == 0, "\(second.errors)")
                #expect(!second.errors.contains("chalZ"))
            }
        }
    }
}

/// The folder that the account of this CA is kept in.
func accountFolder(_ pebble: Pebble) throws -> String {
    let authority = pebble.directory.dropFirst("https://".count).prefix { $0 != "/" }
    return authority.replacing(":", with: "-") + "-dir"
}

/// nginx with a web root, on 127.0.0.1 only.
func nginx<Value: Sendable>(_ bench: Workbench, port: Int, server: String = "", _ body: () async throws -> Value) async throws -> Value {
    mkdir(bench.path("www"), 0o755)
    let configuration = try bench.write(
        "nginx.conf",
        """
        daemon off; pid \(bench.path("nginx.pid")); error_log stderr; worker_processes 1;
        events { worker_connections 64; }
        http {
            access_log off;
            client_body_temp_path \(bench.path("body")); proxy_temp_path \(bench.path("proxy")); fastcgi_temp_path \(bench.path("fastcgi"));
            uwsgi_temp_path \(bench.path("uwsgi")); scgi_temp_path \(bench.path("scgi"));
            server { listen 127.0.0.1:\(port); root \(bench.path("www")); }
            \(server)
        }
        """)
    return try await bench.running("nginx", ["-c", configuration, "-e", "stderr"], named: "nginx", port: port, body)
}
