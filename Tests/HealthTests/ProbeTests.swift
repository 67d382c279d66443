import Glibc
import Health
import LocalHTTP
import RealServers
import Subprocess
import SystemPackage
import Testing

/// Asks a server in good health, halted, running again, and gone.
private func examine(_ probe: any Probe, _ server: RealServer) async throws {
    try await eventually { try await probe.check() }
    server.signal(SIGSTOP)
    // Not every thread is halted by the time that kill(2) returns.
    try await until {
        let begin = ContinuousClock.now
        do throws(ProbeFailure) {
            try await probe.check()
            return false
        } catch {
            #expect(error == .timedOut)
            #expect(ContinuousClock.now - begin < .seconds(30), "a probe keeps its deadline")
            return true
        }
    }
    server.signal(SIGCONT)
    try await eventually { try await probe.check() }
    server.signal(SIGKILL)
    try await eventually {
        do throws(ProbeFailure) {
            try await probe.check()
        } catch .refused {
            return
        }
        throw ProbeFailure.unexpected("an answer of a dead server")
    }
}

@Suite struct ProbeTests {
    @Test("Prosody opens streams for clients and servers; halted it is timedOut, dead it is refused", .timeLimit(.minutes(2)))
    func prosody() async throws {
        try await Scratch.with { scratch in
            let (clients, servers) = (try freePort(), try freePort())
            let files = try await scratch.certificate(for: "chat.example.org")
            let configuration = try scratch.write(
                "prosody.cfg.lua",
                """
                data_path = "\(scratch.path)"
                interfaces = { "127.0.0.1" }
                c2s_ports = { \(clients) }
                s2s_ports = { \(servers) }
                c2s_direct_tls_ports = {}
                s2s_direct_tls_ports = {}
                http_ports = {}
                https_ports = {}
                modules_enabled = { "tls", "saslauth", "s2s" }
                modules_disabled = { "admin_shell" }
                c2s_require_encryption = true
                s2s_require_encryption = true
                log = { warn = "*console" }
                VirtualHost "chat.example.org"
                    ssl = { certificate = "\(files.certificate)", key = "\(files.key)" }
                """)
            // Prosody refuses to run as root.
            var command = ["/usr/bin/prosody", "-F", "--config", configuration]
            if geteuid() == 0 {
                let user: UInt32 = 61184
                for path in [scratch.path, files.key, files.certificate] { chown(path, user, user) }
                command = ["/usr/bin/setpriv", "--reuid=\(user)", "--regid=\(user)", "--clear-groups"] + command
            }
            try await RealServer.with(command[0], Array(command.dropFirst())) { server in
                let other = XMPPProbe(target: .tcp(host: "127.0.0.1", port: servers), domain: "chat.example.org", kind: .server)
                try await eventually { try await other.check() }
                let stranger = XMPPProbe(target: .tcp(host: "127.0.0.1", port: clients), domain: "nobody.example.net")
                await #expect(throws: ProbeFailure.unexpected("the stream error host-unknown")) { try await stranger.check() }
                try await examine(
                    XMPPProbe(target: .tcp(host: "127.0.0.1", port: clients), domain: "chat.example.org", deadline: .milliseconds(500)), server)
            }
        }
    }

    @Test("nginx answers HTTP over TCP and a Unix socket; halted it is timedOut, dead it is refused", .timeLimit(.minutes(2)))
    func nginxHTTP() async throws {
        try await withNginx { http, _, socket, server in
            let unix = HTTPProbe(target: .unix(path: socket), path: "/health")
            try await eventually { try await unix.check() }
            let missing = HTTPProbe(target: .unix(path: socket), path: "/missing")
            await #expect(throws: ProbeFailure.unexpected("HTTP status 404")) { try await missing.check() }
            try await examine(
                HTTPProbe(target: .tcp(host: "127.0.0.1", port: http), path: "/health", deadline: .milliseconds(500)), server)
        }
    }

    @Test("once a reload of nginx counts as done, nobody of before takes a connection", .timeLimit(.minutes(2)))
    func nginxReload() async throws {
        try await withNginx(workers: 1) { http, _, _, server in
            let target = LocalHTTPClient.Target.tcp(host: "127.0.0.1", port: http)
            try await eventually { try await HTTPProbe(target: target, path: "/health").check() }
            for _ in 0..<10 {
                let old = try await Self.worker(at: target)
                let probe = try await SuccessorProbe(target: target, path: "/worker")
                await #expect(throws: ProbeFailure.unexpected("as before its reload")) { try await probe.check() }
                server.signal(SIGHUP)
                try await eventually { try await probe.check() }
                for _ in 0..<20 { #expect(try await Self.worker(at: target) != old) }
            }
        }
    }

    /// Who answers on a new connection.
    private static func worker(at target: LocalHTTPClient.Target) async throws -> [UInt8] {
        try await LocalHTTPClient(target: target).send(.init(path: "/worker"), deadline: .seconds(10)).body
    }

    @Test("nginx answers a TLS handshake; halted it is timedOut, dead it is refused", .timeLimit(.minutes(2)))
    func nginxTLS() async throws {
        try await withNginx { http, https, _, server in
            let target = LocalHTTPClient.Target.tcp(host: "127.0.0.1", port: https)
            try await eventually { try await TLSProbe(target: target, name: "chat.example.org").check() }
            // 120 is no_application_protocol (RFC 7301 §3.2).
            let stranger = TLSProbe(target: target, name: "chat.example.org", protocols: ["xmpp-client"])
            await #expect(throws: ProbeFailure.unexpected("the TLS alert 120")) { try await stranger.check() }
            let plain = TLSProbe(target: .tcp(host: "127.0.0.1", port: http), name: "chat.example.org")
            await #expect(throws: ProbeFailure.unexpected("something that is no TLS")) { try await plain.check() }
            try await examine(TLSProbe(target: target, name: "chat.example.org", deadline: .milliseconds(500)), server)
        }
    }

    @Test("coturn tells our address; halted it is timedOut, dead it is refused", .timeLimit(.minutes(2)))
    func coturn() async throws {
        try await Scratch.with { scratch in
            let port = try freePort()
            let arguments = [
                "-n", "--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1", "--listening-port", String(port), "--no-tls", "--no-dtls",
                "--no-cli", "--lt-cred-mech", "--realm", "chat.example.org", "--user", "a:b", "--userdb", "\(scratch.path)/turndb",
                "--pidfile", "\(scratch.path)/pid", "--log-file", "\(scratch.path)/log", "--no-stdout-log",
            ]
            try await RealServer.with("/usr/bin/turnserver", arguments) { server in
                try await examine(STUNProbe(address: "127.0.0.1", port: port, deadline: .milliseconds(500)), server)
            }
        }
    }

    @Test("a probe of a cancelled task ends at once")
    func cancellation() async throws {
        try await withNginx { _, https, _, server in
            let target = LocalHTTPClient.Target.tcp(host: "127.0.0.1", port: https)
            try await eventually { try await TLSProbe(target: target, name: "chat.example.org").check() }
            server.signal(SIGSTOP)
            let failure = await withTaskGroup(of: ProbeFailure?.self) { group in
                group.addTask {
                    do throws(ProbeFailure) {
                        try await TLSProbe(target: target, name: "chat.example.org", deadline: .seconds(60)).check()
                        return nil
                    } catch {
                        return error
                    }
                }
                group.cancelAll()
                return await group.next() ?? nil
            }
            #expect(failure == .cancelled)
        }
    }

    private func withNginx(
        workers: Int = 2, _ body: @escaping @Sendable (_ http: Int, _ https: Int, _ socket: String, RealServer) async throws -> Void
    ) async throws {
        try await Scratch.with { scratch in
            let nginx = try await Nginx(in: scratch, listensOnSocket: true, workers: workers)
            try await RealServer.with(Nginx.executable, nginx.arguments) { server in
                try await body(nginx.http, nginx.https, nginx.socket, server)
            }
        }
    }
}
