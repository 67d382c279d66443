import CertificateStore
import Glibc
import OpenSSL
import PebbleFixture
import Testing

@Suite("Looking at TLS endpoints")
struct ProbeTests {
    @Test("direct TLS: the served certificate is shown, and whether a client would trust it")
    func direct() async throws {
        try await Workbench.with { bench throws in
            let port = try Loopback.freePort()
            let files = try endpoint(bench)
            try await bench.running(
                "openssl", ["s_server", "-accept", "127.0.0.1:\(port)", "-cert", files.chain, "-key", files.key, "-quiet"], named: "server",
                port: port
            ) {
                let trusted = try await CertificateProgramRun.of([
                    "probe", "--connect", "127.0.0.1:\(port)", "--name", "example.org", "--ca-bundle", files.roots,
                ])
                #expect(trusted.exitCode == 0, "\(trusted.errors)")
                #expect(trusted.events == [.probed(record: files.record, refusal: nil)])
                let other = try await CertificateProgramRun.of([
                    "probe", "--connect", "127.0.0.1:\(port)", "--name", "other.org", "--ca-bundle", files.roots,
                ])
                #expect(other.events == [.probed(record: files.record, refusal: "hostname mismatch")])
                let unknown = try await CertificateProgramRun.of(["probe", "--connect", "127.0.0.1:\(port)", "--name", "example.org"])
                #expect(unknown.events != trusted.events)
            }
        }
    }

    @Test("STARTTLS on a client's and a server's port of a real Prosody")
    func startTLS() async throws {
        try await Workbench.with { bench throws in
            let (client, server) = (try Loopback.freePort(), try Loopback.freePort())
            let files = try endpoint(bench)
            mkdir(bench.path("data"), 0o755)
            let configuration = try bench.write(
                "prosody.cfg.lua",
                """
                run_as_root = true
                pidfile = "\(bench.path("prosody.pid"))"; data_path = "\(bench.path("data"))"; daemonize = false
                interfaces = { "127.0.0.1" }; c2s_ports = { \(client) }; s2s_ports = { \(server) }; c2s_direct_tls_ports = {}; s2s_direct_tls_ports = {}
                http_ports = {}; https_ports = {}; modules_enabled = { "tls"; "s2s"; "c2s"; "saslauth" }; modules_disabled = { "http"; "admin_shell" }
                ssl = { certificate = "\(files.chain)"; key = "\(files.key)" }
                log = { info = "*console" }
                VirtualHost "example.org"
                """)
            try await bench.running("prosody", ["-F", "--config", configuration], named: "prosody", port: server) {
                for (port, kind) in [(client, "xmpp-client"), (server, "xmpp-server")] {
                    let run = try await CertificateProgramRun.of(
                        ["probe", "--connect", "127.0.0.1:\(port)", "--name", "example.org", "--starttls", kind, "--ca-bundle", files.roots])
                    #expect(run.events == [.probed(record: files.record, refusal: nil)], "\(kind): \(run.errors)")
                }
            }
        }
    }

    @Test("an endpoint that is silent, closed or no TLS is a clear failure")
    func broken() async throws {
        try await Workbench.with { bench throws in
            let closed = try await CertificateProgramRun.of(["probe", "--connect", "127.0.0.1:\(try Loopback.freePort())", "--name", "example.org"])
            #expect(closed.exitCode == 75)
            #expect(closed.failure?.cause == "connection refused")
            let port = try Loopback.freePort()
            try await nginx(bench, port: port) {
                let plain = try await CertificateProgramRun.of(["probe", "--connect", "127.0.0.1:\(port)", "--name", "example.org"])
                #expect(plain.failure?.kind == .unreachable)
                let silent = try await CertificateProgramRun.of(
                    ["probe", "--connect", "127.0.0.1:\(port)", "--name", "example.org", "--starttls", "xmpp-client", "--timeout", "1"])
                #expect(silent.exitCode == 75)
            }
        }
    }

    private struct Endpoint {
        var chain: String
        var key: String
        var roots: String
        var record: CertificateRecord
    }

    private func endpoint(_ bench: Workbench) throws -> Endpoint {
        let authority = try Authority(domains: ["example.org"], now: time(nil))
        let key = try PrivateKey()
        let leaf = try authority.issue(names: ["example.org"], key: key, now: time(nil))
        return Endpoint(
            chain: try bench.write("served.pem", try leaf.pem()), key: try bench.write("served.key", try key.pem()),
            roots: try bench.write("roots.pem", try authority.certificate.pem()),
            record: CertificateRecord(names: leaf.names, issuer: leaf.issuer, serial: leaf.serial, notBefore: leaf.notBefore, notAfter: leaf.notAfter)
        )
    }
}
