import Glibc
import ServerConfigs
import Settings
import SystemPackage
import Testing

/// Set RECORD_GOLDEN to write the copies anew; then look at the difference before committing it.
@Suite("golden copies")
struct GoldenTests {
    @Test("the rendered files are the golden ones", arguments: Example.allCases)
    func golden(example: Example) throws {
        let facts = try example.facts()
        for file in try facts.files() + [facts.waitingPage(Example.progress)] {
            let name = FilePath(file.path).lastComponent?.string ?? ""
            let copy = Checkout.golden.appending("\(example.rawValue).\(name)")
            let text = file.text.replacing(facts.locations.templates, with: "/usr/share/snikket/templates")
            if getenv("RECORD_GOLDEN") != nil {
                try Folder.write(text, to: copy.string)
            }
            #expect(try Folder.read(copy.string) == text, "\(copy.lastComponent?.string ?? "")")
        }
    }

    @Test(
        "the parts for other web servers are the golden ones", arguments: [Example.behindProxy, .behindRelay, .behindSplitter, .everything, .website])
    func goldenParts(example: Example) throws {
        var facts = try example.facts()
        // For one with everything set, and still behind a proxy.
        if example == .everything {
            facts.settings.webTLS = false
            facts.settings.givenPublicHTTPPort = 8000
        }
        let fitting = FrontServer.allCases.filter { $0.missing(from: facts.settings).isEmpty }
        #expect(!fitting.isEmpty)
        for server in fitting {
            let text = try facts.part(
                of: server, certificate: ("/etc/ssl/full chain.pem".replacing(" ", with: server == .apache ? "-" : " "), "/etc/ssl/key.pem"))
            let copy = Checkout.golden.appending("\(example.rawValue).\(server.rawValue)")
            if getenv("RECORD_GOLDEN") != nil { try Folder.write(text, to: copy.string) }
            #expect(try Folder.read(copy.string) == text, "\(copy.lastComponent?.string ?? "")")
        }
    }

    /// What people may have beside the two answers.
    enum Rest: String, CaseIterable {
        case plain = ""
        case addresses = "SNIKKET_TWEAK_LISTEN_ADDRESSES=192.0.2.7 2001:db8::7\nSNIKKET_PUBLIC_HTTPS_PORT=8443\n"
        case sixOnly = "SNIKKET_IPV4=off\nSNIKKET_CERTIFICATE=internal\n"

        var name: String { "\(self)" }
    }

    @Test("what a server in front asks for fits, and its part is the golden one", arguments: FrontServer.allCases, Rest.allCases)
    func goldenFront(server: FrontServer, rest: Rest) throws {
        let text = "SNIKKET_DOMAIN=chat.example\nSNIKKET_ADMIN_EMAIL=admin@chat.example\n" + rest.rawValue
        let before = try Settings(parsing: text, file: "snikket.conf")
        let missing = server.missing(from: before).map { "\($0.option)=\($0.value)\n" }.joined()
        var facts = try Example.minimal.facts()
        facts.settings = try Settings(parsing: text + missing, file: "snikket.conf")
        #expect(server.missing(from: facts.settings).isEmpty)
        try expectGolden("front.\(rest.name).\(server.rawValue)", missing + facts.part(of: server, certificate: nil))
    }

    @Test("the lines for a website are the golden ones", arguments: FrontServer.allCases.filter(\.isForWebsites), Rest.allCases)
    func goldenWebsite(server: FrontServer, rest: Rest) throws {
        let text = "SNIKKET_DOMAIN=b\u{fc}cher.example\nSNIKKET_ADMIN_EMAIL=admin@chat.example\nSNIKKET_WEB_HOST=chat.example\n" + rest.rawValue
        var facts = try Example.minimal.facts()
        facts.settings = try Settings(parsing: text, file: "snikket.conf")
        try expectGolden("website.\(rest.name).\(server.rawValue)", facts.lines(forWebsiteOf: server))
    }

    private func expectGolden(_ name: String, _ text: String) throws {
        let copy = Checkout.golden.appending(name).string
        if getenv("RECORD_GOLDEN") != nil { try Folder.write(text, to: copy) }
        #expect(try Folder.read(copy) == text, "\(name)")
    }

    @Test("the lines for the website that the domain already is are the golden ones", arguments: FrontServer.allCases.filter(\.isForWebsites))
    func goldenLines(server: FrontServer) throws {
        let text = try Example.website.facts().lines(forWebsiteOf: server)
        let copy = Checkout.golden.appending("website.lines.\(server.rawValue)")
        if getenv("RECORD_GOLDEN") != nil { try Folder.write(text, to: copy.string) }
        #expect(try Folder.read(copy.string) == text)
    }

    @Test("a file with a secret in it is readable by its server only")
    func secretFiles() throws {
        let facts = try Example.minimal.facts()
        for file in try facts.files() {
            let holdsSecret = file.text.contains(facts.secrets.api) || file.text.contains(facts.secrets.turn)
            #expect(file.isSecret == holdsSecret)
            #expect(file.mode == (holdsSecret ? 0o600 : 0o644))
        }
    }

    @Test("with tls-alpn-01 nginx tells connections apart before there is a certificate too, and can do without the HTTP port")
    func onePort() throws {
        var facts = try Example.onePort.facts()
        facts.phase = .gettingReady
        facts.hasHTTPPort = false
        let configuration = try #require(try facts.files(of: .nginx).first { $0.path.hasSuffix("nginx.conf") }).text
        #expect(configuration.contains("ssl_preread on"))
        #expect(configuration.contains("ssl_reject_handshake on"))
        #expect(!configuration.contains("ssl_certificate "))
        #expect(!configuration.contains(":80\""))
        #expect(configuration.split(separator: "\n").filter { $0.contains("listen") && $0.contains(":443") }.count == 2)
    }

    @Test("without a certificate nginx has port 80 only, and the page says how far everything is and what went wrong")
    func gettingReady() throws {
        var facts = try Example.minimal.facts()
        facts.phase = .gettingReady
        let files = try facts.files(of: .nginx)
        let configuration = try #require(files.first { $0.path.hasSuffix("nginx.conf") }).text
        #expect(!configuration.contains("ssl"))
        #expect(!configuration.contains(":443"))
        #expect(configuration.contains("acme-challenge"))
        let problem = Progress.Problem(error: "no <A> record", cause: "DNS & so on", tryThis: "look again")
        let steps = [Progress.Step(.certificate, .failed(next: "at 12:00:00 UTC")), .init(.chat, .waiting)]
        let page = try facts.waitingPage(Progress(isStart: true, steps: steps, problem: problem)).text
        #expect(page.contains("failed; it is tried again at 12:00:00 UTC"))
        #expect(page.contains(">waiting<"))
        #expect(page.contains("no &lt;A&gt; record"))
        #expect(page.contains("DNS &amp; so on"))
        #expect(page.contains("http-equiv=\"refresh\""))
    }
}
