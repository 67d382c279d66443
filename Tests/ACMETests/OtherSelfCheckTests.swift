import CertificateStore
import Glibc
import PebbleFixture
import Testing

@Suite("The self-check of tls-alpn-01 and dns-01")
struct OtherSelfCheckTests {
    // MARK: - tls-alpn-01

    private static func resolve(_ port: Int, _ names: [String] = Workbench.names) -> [String] {
        names.flatMap { ["--resolve", "\($0):\(port):127.0.0.1"] }
    }

    @Test("certificates that answer are found, and the certificate comes")
    func tls() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench) { pebble throws in
                let run = try await CertificateProgramRun.of(
                    bench.issue(from: pebble, ["--tls-alpn", "127.0.0.1:\(pebble.tlsPort)"] + Self.resolve(pebble.tlsPort)))
                #expect(run.exitCode == 0, "\(run.errors)")
            }
        }
    }

    @Test("a closed port is named, and costs no validation")
    func closedPort() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench) { pebble throws in
                let closed = try Loopback.freePort()
                let run = try await CertificateProgramRun.of(
                    bench.issue(
                        from: pebble, ["--tls-alpn", "127.0.0.1:\(pebble.tlsPort)", "--trace"] + Self.resolve(closed, ["example.org"]),
                        names: ["example.org"]))
                #expect(run.exitCode == 1)
                #expect(run.failure?.kind == .validation)
                #expect(run.failure?.cause == "example.org: nobody answers at 127.0.0.1 port \(closed): connection refused", "\(run.errors)")
                #expect(run.failure?.try?.contains("port \(closed) is open") == true, "\(run.errors)")
                #expect(!run.errors.contains("/chalZ/"), "no challenge was answered: \(run.errors)")
            }
        }
    }

    @Test("a web server that knows nothing of acme-tls/1, and one that is no TLS server, are told as such")
    func otherServers() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench) { pebble throws in
                // Pebble's own HTTPS stands for any web server, its DNS server's management for anything without TLS.
                let web = Int(pebble.directory.split(separator: ":")[2].split(separator: "/")[0])
                for (port, words) in [(try #require(web), "alert no application protocol"), (pebble.dnsManagementPort, "wrong version number")] {
                    let run = try await CertificateProgramRun.of(
                        bench.issue(
                            from: pebble, ["--tls-alpn", "127.0.0.1:\(pebble.tlsPort)", "--trace"] + Self.resolve(port, ["example.org"]),
                            names: ["example.org"]))
                    #expect(run.exitCode == 1)
                    let cause = run.failure?.cause ?? ""
                    #expect(cause.contains("127.0.0.1 port \(port) does not speak acme-tls/1: ") && cause.contains(words), "\(run.errors)")
                    #expect(!run.errors.contains("/chalZ/"))
                }
            }
        }
    }

    @Test("another responder's certificate is not taken for ours")
    func otherResponder() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench) { pebble throws in
                let port = try Loopback.freePort()
                try await bench.running(
                    "openssl",
                    [
                        "s_server", "-www", "-accept", "127.0.0.1:\(port)", "-alpn", "acme-tls/1", "-cert", bench.path("pebble-tls.pem"), "-key",
                        bench.path("pebble-key.pem"),
                    ], named: "other", port: port
                ) {
                    let run = try await CertificateProgramRun.of(
                        bench.issue(
                            from: pebble, ["--tls-alpn", "127.0.0.1:\(pebble.tlsPort)"] + Self.resolve(port, ["example.org"]), names: ["example.org"])
                    )
                    #expect(
                        run.failure?.cause
                            == "example.org: 127.0.0.1 port \(port) shows a certificate without the answer, for localhost, 127.0.0.1", "\(run.errors)"
                    )
                }
            }
        }
    }

    @Test("a responder on a Unix socket takes the place of one that was killed there, and leaves nothing behind")
    func unixSocket() async throws {
        try await Workbench.with { bench throws in
            try await Pebble.with(bench) { pebble throws in
                let path = bench.path("responder")
                let left = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
                defer { close(left) }
                var address = sockaddr_un()
                address.sun_family = sa_family_t(AF_UNIX)
                withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
                let bound = withUnsafePointer(to: &address) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(left, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
                }
                try #require(bound == 0)
                // Nginx with a stream that knows one place only: what hands connections on is tested with the appliance.
                let configuration = try bench.write(
                    "nginx.conf",
                    """
                    load_module /usr/lib/nginx/modules/ngx_stream_module.so;
                    daemon off; pid \(bench.path("nginx.pid")); error_log stderr;
                    events {} stream { server { listen 127.0.0.1:\(pebble.tlsPort); proxy_pass unix:\(path); } }
                    """)
                try await bench.running("nginx", ["-e", "stderr", "-c", configuration], named: "nginx", port: pebble.tlsPort) {
                    let run = try await CertificateProgramRun.of(
                        bench.issue(from: pebble, ["--tls-alpn", "unix:" + path] + Self.resolve(pebble.tlsPort)))
                    #expect(run.exitCode == 0, "\(run.errors)")
                    #expect(access(path, F_OK) != 0)
                    // A file that is no socket is somebody's.
                    try bench.write("responder", "mine")
                    let refused = try await CertificateProgramRun.of(bench.issue(from: pebble, ["--tls-alpn", "unix:" + path]))
                    #expect(refused.failure?.kind == .listen, "\(refused.errors)")
                    #expect(try bench.read("responder") == "mine")
                }
            }
        }
    }

    // MARK: - dns-01

    @Test("a record that every server in charge has is found, also along an alias into another zone")
    func dns() async throws {
        try await Workbench.with { bench throws in
            try await NameServers.with(bench) { servers throws in
                try await Pebble.with(bench, .init(dnsPort: servers.primary)) { pebble throws in
                    let run = try await CertificateProgramRun.of(
                        bench.issue(from: pebble, servers.answers + servers.looks, names: ["*.example.org", "example.org"]))
                    #expect(run.exitCode == 0, "\(run.errors)")
                    let hook = try await servers.hook(bench, adding: "_acme-challenge.other.example.net.")
                    let alias = try await CertificateProgramRun.of(
                        bench.issue(from: pebble, ["--dns-hook", hook] + servers.looks, names: ["alias.example.org"]))
                    #expect(alias.exitCode == 0, "\(alias.errors)")
                }
            }
        }
    }

    @Test("a second server that copies the zone a moment later is waited for")
    func slowSecondary() async throws {
        try await Workbench.with { bench throws in
            try await NameServers.with(bench, secondary: .slow) { servers throws in
                try await Pebble.with(bench, .init(dnsPort: servers.primary)) { pebble throws in
                    let run = try await CertificateProgramRun.of(
                        bench.issue(from: pebble, servers.answers + servers.looks, names: ["example.org"]))
                    #expect(run.exitCode == 0, "\(run.errors)")
                    // Once at its start, and again for the record, of which nobody told it.
                    #expect(try bench.read("secondary.log").split(separator: "\n").filter { $0.contains("Transfer status: success") }.count >= 2)
                }
            }
        }
    }

    @Test("a server that never gets the record is named with what it says, and the CA is not asked")
    func stuckSecondary() async throws {
        try await Workbench.with { bench throws in
            try await NameServers.with(bench, secondary: .stuck) { servers throws in
                try await Pebble.with(bench, .init(dnsPort: servers.primary)) { pebble throws in
                    let run = try await CertificateProgramRun.of(
                        bench.issue(from: pebble, servers.answers + servers.looks + ["--dns-patience", "1", "--trace"], names: ["example.org"]))
                    #expect(run.exitCode == 1)
                    let cause = run.failure?.cause ?? ""
                    #expect(
                        cause.contains("ns1.example.org (127.0.0.1:\(servers.primary)) has the TXT record _acme-challenge.example.org."),
                        "\(run.errors)")
                    #expect(
                        cause.contains(
                            "ns2.example.org (127.0.0.1:\(servers.secondary)) says that there is no name _acme-challenge.example.org."),
                        "\(run.errors)")
                    #expect(!run.errors.contains("/chalZ/"), "no challenge was answered: \(run.errors)")
                }
            }
        }
    }

    @Test("a server that is down does not matter while another has the record; a hook that does nothing is found out")
    func deadSecondary() async throws {
        try await Workbench.with { bench throws in
            try await NameServers.with(bench, secondary: .down) { servers throws in
                try await Pebble.with(bench, .init(dnsPort: servers.primary)) { pebble throws in
                    let run = try await CertificateProgramRun.of(
                        bench.issue(from: pebble, servers.answers + servers.looks, names: ["example.org"]))
                    #expect(run.exitCode == 0, "\(run.errors)")
                    let nothing = try await CertificateProgramRun.of(
                        bench.issue(
                            from: pebble, ["--dns-hook", "/bin/true"] + servers.looks + ["--dns-patience", "0"], names: ["wrong.example.org"]))
                    #expect(
                        nothing.failure?.cause?.contains(
                            "ns1.example.org (127.0.0.1:\(servers.primary)) has _acme-challenge.wrong.example.org. with another text, 'not this'")
                            == true,
                        "\(nothing.errors)")
                }
            }
        }
    }

    @Test("where no resolver answers, nothing can be told, and the CA is asked")
    func noResolver() async throws {
        try await Workbench.with { bench throws in
            try await NameServers.with(bench) { servers throws in
                try await Pebble.with(bench, .init(dnsPort: servers.primary)) { pebble throws in
                    let run = try await CertificateProgramRun.of(
                        bench.issue(
                            from: pebble, servers.answers + ["--dns-resolver", "127.0.0.1:\(try Loopback.freePort())"], names: ["example.org"]))
                    #expect(run.exitCode == 0, "\(run.errors)")
                }
            }
        }
    }
}
