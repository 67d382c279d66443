import CertificateStore
import Glibc
import OpenSSL
import PebbleFixture
import Subprocess
import SystemPackage
import Testing

@Suite("Looking at everything that is served")
struct LookTests {
    @Test("an app's port is good when a password can log in there, by STARTTLS and by direct TLS; a server's when it speaks TLS")
    func prosody() async throws {
        try await Workbench.with { bench throws in
            let (client, direct, server, serverDirect) = (
                try Loopback.freePort(), try Loopback.freePort(), try Loopback.freePort(), try Loopback.freePort()
            )
            let pair = try pair(bench)
            for hasSASL in [true, false] {
                let configuration = try bench.write(
                    "prosody.cfg.lua",
                    """
                    run_as_root = true
                    pidfile = "\(bench.path("prosody.pid"))"; data_path = "\(bench.folder)"; daemonize = false
                    interfaces = { "127.0.0.1" }; c2s_ports = { \(client) }; s2s_ports = { \(server) }
                    c2s_direct_tls_ports = { \(direct) }; s2s_direct_tls_ports = { \(serverDirect) }
                    s2s_direct_tls_ssl = { certificate = "\(pair.chain)"; key = "\(pair.key)"; alpn = { "xmpp-server" } }
                    c2s_direct_tls_ssl = { certificate = "\(pair.chain)"; key = "\(pair.key)"; alpn = { "xmpp-client" } }
                    http_ports = {}; https_ports = {}; modules_disabled = { "http"; "admin_shell" }
                    modules_enabled = { "tls"; "s2s"; "c2s"; "disco"\(hasSASL ? "; \"saslauth\"" : "") }
                    authentication = "internal_hashed"; disable_sasl_mechanisms = { "PLAIN" }
                    ssl = { certificate = "\(pair.chain)"; key = "\(pair.key)" }
                    log = { info = "*console" }
                    VirtualHost "example.org"
                    """)
                try await bench.running("prosody", ["-F", "--config", configuration], named: "prosody", port: server) {
                    let answers = try await look([
                        question("starttls", client, .clients(domain: "example.org", isDirect: false)),
                        question("direct", direct, .clients(domain: "example.org", isDirect: true)),
                        question("servers", server, .servers(domain: "example.org", isDirect: false)),
                        question("servers direct", serverDirect, .servers(domain: "example.org", isDirect: true)),
                        question("no servers", direct, .servers(domain: "example.org", isDirect: true)),
                        question("listens", client, .port), question("nobody", try Loopback.freePort(), .port),
                        question("plain", client, .clients(domain: "example.org", isDirect: true)),
                        question("stranger", client, .clients(domain: "elsewhere.org", isDirect: false)),
                    ])
                    for name in ["starttls", "direct", "servers", "servers direct"] {
                        #expect(answers[name]?.serial == pair.serial)
                        #expect(answers[name]?.isGood == true)
                    }
                    for name in ["servers", "servers direct", "listens"] { #expect(answers[name]?.verdict == .good, "\(answers)") }
                    #expect(answers["no servers"]?.verdict == .bad, "it is for apps")
                    #expect(answers["nobody"]?.reason == "connection refused")
                    for name in ["starttls", "direct"] {
                        #expect(answers[name]?.verdict == (hasSASL ? .good : .bad), "\(answers)")
                        #expect(answers[name]?.reason == (hasSASL ? nil : "the server ends the stream: undefined-condition"))
                    }
                    #expect(answers["plain"]?.verdict == .bad)
                    #expect(answers["stranger"]?.reason == "the server ends the stream: host-unknown")
                    #expect(answers["stranger"]?.serial == nil)
                }
            }
        }
    }

    @Test("a page has to be there and a page, an upload without a slot has to be refused; who is to blame is told apart")
    func web() async throws {
        try await Workbench.with { bench throws in
            let port = try Loopback.freePort()
            let pair = try pair(bench)
            let server = """
                server {
                    listen 127.0.0.1:\(port) ssl; server_name example.org;
                    ssl_certificate \(pair.chain); ssl_certificate_key \(pair.key);
                    location = / { default_type text/html; return 200 "<html></html>"; }
                    location = /text { default_type text/plain; return 200 "text"; }
                    location = /upload/probe { return 401; }
                    location = /gone { return 404; }
                    location = /broken { proxy_pass http://127.0.0.1:1; }
                }
                """
            try await nginx(bench, port: try Loopback.freePort(), server: server) {
                let answers = try await look([
                    question("page", port, .page(path: "/")), question("text", port, .page(path: "/text")),
                    question("missing", port, .page(path: "/gone")), question("upload", port, .upload(path: "/upload/probe")),
                    question("unloaded", port, .upload(path: "/gone")), question("broken", port, .upload(path: "/broken")),
                    question("closed", try Loopback.freePort(), .page(path: "/")), question("other", port, .page(path: "/"), host: "other.org"),
                ])
                #expect(answers["page"]?.verdict == .good)
                #expect(answers["upload"]?.verdict == .good)
                #expect(answers["text"]?.verdict == .behind)
                #expect(answers["missing"]?.reason == "it answered with the HTTP status 404")
                #expect(answers["unloaded"]?.verdict == .behind)
                // Whom it hands requests on to does not listen: who is there says so.
                #expect(answers["broken"]?.verdict == .bad)
                #expect(answers["closed"]?.verdict == .bad)
                #expect(answers["other"]?.isGood == false, "the certificate is for another name")
            }
        }
    }

    @Test("a relay address is given to the right credentials and given back; other credentials are not good", arguments: ["the secret", "another"])
    func coturn(_ secret: String) async throws {
        try await Workbench.with { bench throws in
            let (port, tls) = (try Loopback.freePort(), try Loopback.freePort())
            let pair = try pair(bench)
            let configuration = try bench.write(
                "turnserver.conf",
                """
                log-file=stdout
                simple-log
                verbose
                listening-ip=127.0.0.1
                listening-port=\(port)
                tls-listening-port=\(tls)
                cert=\(pair.chain)
                pkey=\(pair.key)
                realm=example.org
                use-auth-secret
                static-auth-secret=the secret
                allow-loopback-peers
                no-dtls
                no-cli
                userdb=\(bench.path("turndb"))
                pidfile=\(bench.path("turnserver.pid"))
                """)
            try await bench.running("turnserver", ["-c", configuration], named: "coturn", port: tls) {
                let answers = try await look([
                    question("udp", port, .relay(secret: secret, over: .udp)), question("tcp", port, .relay(secret: secret, over: .tcp)),
                    question("tls", tls, .relay(secret: secret, over: .tls)),
                ])
                for name in ["udp", "tcp", "tls"] {
                    #expect(answers[name]?.verdict == (secret == "the secret" ? .good : .bad))
                    #expect(answers[name]?.reason?.hasSuffix("(401)") == (secret == "the secret" ? nil : true))
                }
                #expect(answers["tls"]?.serial == pair.serial)
                if secret == "the secret" {
                    let lines = try bench.read("coturn.log").split(separator: "\n")
                    #expect(lines.filter { $0.contains("ALLOCATE processed, success") }.count == 3)
                    #expect(lines.filter { $0.contains("refreshed, realm=<example.org>") && $0.contains("lifetime=0") }.count == 3)
                }
            }
        }
    }

    @Test("an endpoint that is silent takes its own deadline and holds up nobody; a secret is on no command line")
    func silent() async throws {
        try await Workbench.with { bench throws in
            let port = try Loopback.freePort()
            try await nginx(bench, port: port) {
                let begin = ContinuousClock.now
                // nginx waits for a request where it is asked for a stream of XMPP.
                let silent = (0..<6).map { question("\($0)", port, .relay(secret: "s", over: $0 % 2 == 0 ? .tls : .udp)) }
                let answers = try await look(silent + [question("fast", 1, .page(path: "/"))], milliseconds: 500)
                #expect(ContinuousClock.now - begin < .seconds(30))
                #expect(answers.count == 7)
                #expect(answers["fast"]?.reason == "connection refused")
            }
        }
    }

    @Test("what could end a header's quotes or a request's line is refused", arguments: ["a'b", "a<b", "a b", "a\nb"])
    func hostile(_ text: String) async throws {
        for scene in [LookJob.Scene.clients(domain: text, isDirect: false), .servers(domain: text, isDirect: false), .page(path: text)] {
            let run = try await CertificateProgramRun.of(["look"], input: try LookJob(questions: [question("x", 1, scene)], milliseconds: 100).json())
            #expect(run.exitCode == 78)
            #expect(run.failure?.kind == .configuration)
        }
        let nonsense = try await CertificateProgramRun.of(["look"], input: Array("no JSON".utf8))
        #expect(nonsense.failure?.error == "standard input holds no endpoints")
    }

    private func question(_ name: String, _ port: Int, _ scene: LookJob.Scene, host: String = "example.org") -> LookJob.Question {
        .init(name: name, address: "127.0.0.1:\(port)", host: host, scene: scene)
    }

    private func look(_ questions: [LookJob.Question], milliseconds: Int = 10_000) async throws -> [String: LookAnswer] {
        let run = try await CertificateProgramRun.of(["look"], input: try LookJob(questions: questions, milliseconds: milliseconds).json())
        #expect(run.exitCode == 0, "\(run.errors)")
        return Dictionary(uniqueKeysWithValues: run.lines.compactMap { LookAnswer(line: $0) }.map { ($0.name, $0) })
    }

    private func pair(_ bench: Workbench) throws -> (chain: String, key: String, serial: String) {
        let authority = try Authority(domains: ["example.org"], now: time(nil))
        let key = try PrivateKey()
        let leaf = try authority.issue(names: ["example.org"], key: key, now: time(nil))
        return (try bench.write("served.pem", try leaf.pem()), try bench.write("served.key", try key.pem()), leaf.serial)
    }
}
