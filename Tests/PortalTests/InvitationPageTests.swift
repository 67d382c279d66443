import ChatServer
import FoundationEssentials
import Glibc
import LocalHTTP
import ProsodyFixture
import Synchronization
import Testing

@testable import Portal

@Suite("the invitation's page", .timeLimit(.minutes(1)))
struct InvitationPageTests {
    static let path = "/invite/abc-DEF_123/"

    @Test("names the service, the next steps and the apps, and tells programs the link")
    func page() async throws {
        try await RunningPortal.with(PretendedChatServer()) { portal in
            let page = try await portal.get(Self.path)
            #expect(page.status == 200)
            #expect(page.header("Content-Type") == "text/html; charset=utf-8")
            #expect(page.html.contains("<html lang=\"en\">") && page.html.contains("<h1>Join Rosewood</h1>"))
            #expect(page.html.contains("href=\"xmpp:chat.test?register;preauth=abc-DEF_123\""))
            #expect(page.html.contains("referrer=xmpp%3Achat.test%3Fregister%3Bpreauth%3Dabc-DEF_123"))
            #expect(page.html.contains("href=\"/invite/abc-DEF_123/register\""))
            #expect(page.html.contains("<svg role=\"img\"") && page.html.contains("https://example.org/terms"))
            #expect(!page.html.contains("a secret note"), "comments are for whoever invites")
            #expect(page.header("Link") == "<xmpp:chat.test?register;preauth=abc-DEF_123>; rel=\"alternate\"")
            #expect(page.header("Access-Control-Allow-Origin") == "*" && page.header("Access-Control-Expose-Headers") == "Link")
            let bare = try await portal.get("/invite/abc-DEF_123")
            #expect(bare.status == 308 && bare.header("Location") == Self.path)
            let head = try await portal.client.send(.init(method: .head, path: Self.path), deadline: .seconds(5))
            #expect(head.status == 200 && head.body.isEmpty)
        }
    }

    @Test("every response has the security fields, and pages are not kept by caches")
    func fields() async throws {
        try await RunningPortal.with(PretendedChatServer()) { portal in
            for path in [Self.path, Self.path + "register", "/", "/nothing", "/invite/unknown/", "/_health", "/static/style.css"] {
                let page = try await portal.get(path)
                let policy = try #require(page.header("Content-Security-Policy"))
                #expect(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"))
                #expect(page.header("X-Content-Type-Options") == "nosniff" && page.header("Referrer-Policy") == "no-referrer")
                if !path.hasPrefix("/static") { #expect(page.header("Cache-Control") == "no-store") }
                // Nothing inline, as the policy demands.
                #expect(!page.html.contains("<style") && !page.html.contains(" style=") && !page.html.contains("onclick"))
                #expect(page.html.split(separator: "<script").dropFirst().allSatisfy { $0.hasPrefix(" src=") })
            }
        }
    }

    @Test("security.txt has the contact and an end that is in the future, and is not there without a contact")
    func securityText() async throws {
        let path = "/.well-known/security.txt"
        try await RunningPortal.with(PretendedChatServer(), securityEmail: "security@chat.test") { portal in
            let page = try await portal.get(path)
            #expect(page.status == 200 && page.header("Content-Type") == "text/plain; charset=utf-8")
            let lines = page.html.split(separator: "\n")
            #expect(lines.first == "Contact: mailto:security@chat.test" && lines.count == 2)
            let end = try Date(String(lines.last?.dropFirst("Expires: ".count) ?? ""), strategy: .iso8601)
            #expect((28...30).contains(end.timeIntervalSinceNow / 86_400))
        }
        try await RunningPortal.with(PretendedChatServer()) { portal in
            let page = try await portal.get(path)
            #expect(page.status == 404)
        }
    }

    @Test("an unknown, used or malformed invitation, and an unknown page, are 404 with words")
    func missing() async throws {
        try await RunningPortal.with(PretendedChatServer()) { portal in
            for path in ["/invite/unknown/", "/invite/unknown/register", "/invite/%3Cscript%3E/"] {
                let page = try await portal.get(path)
                #expect(page.status == 404 && page.html.contains("This invitation can’t be used") && !page.html.contains("<script>"))
            }
            for path in ["/invite/", "/nothing", "/static/none.css", "/static/..%2Fpages%2Fhome.html", "/static/../pages/home.html"] {
                let page = try await portal.get(path)
                #expect(page.status == 404 && page.html.contains("There is nothing here"), "\(path)")
            }
        }
    }

    @Test("while the chat server does not answer the page says so, with 503; an answer that makes no sense is 500")
    func unavailable() async throws {
        let server = PretendedChatServer(error: .unreachable(detail: "refused"))
        try await RunningPortal.with(server) { portal in
            let starting = try await portal.get(Self.path)
            #expect(starting.status == 503 && starting.header("Retry-After") == "10" && starting.html.contains("is getting ready"))
            server.state.withLock { $0.error = .unexpected(status: 500, detail: "token abc") }
            let failed = try await portal.get(Self.path)
            #expect(failed.status == 500 && failed.html.contains("Something went wrong") && !failed.html.contains("token abc"))
            let calls = server.state.withLock { $0.calls }
            #expect(try await portal.get("/_health").html == "STATUS OK\n")
            #expect(try await portal.get("/").status == 200)
            #expect(server.state.withLock { $0.calls } == calls, "health does not depend on the chat server")
        }
    }

    @Test("a name with markup in it stays a name, wherever it comes from")
    func escaping() async throws {
        var invitation = Invitation.example
        invitation.inviter = "<b>\"&'@chat.test"
        try await RunningPortal.with(PretendedChatServer(invitation), siteName: "<script>alert(1)</script>{inviter}") { portal in
            let page = try await portal.get(Self.path)
            #expect(page.status == 200 && !page.html.contains("<script>alert") && !page.html.contains("<b>"))
            #expect(page.html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
        }
    }

    @Test("static files are kept for ever under their version's address, and 304 when known")
    func staticFiles() async throws {
        try await RunningPortal.with(PretendedChatServer()) { portal in
            let page = try await portal.get("/")
            let address = try #require(page.html.split(separator: "href=\"/static/").dropFirst().first?.prefix { $0 != "\"" })
            let style = try await portal.get("/static/\(address)")
            let tag = try #require(style.header("ETag"))
            #expect(style.status == 200 && style.header("Cache-Control")?.contains("immutable") == true)
            #expect(style.header("Content-Type") == "text/css; charset=utf-8" && style.html.contains("prefers-color-scheme: dark"))
            let again = try await portal.get("/static/\(address)", [(name: "If-None-Match", value: tag)])
            #expect(again.status == 304 && again.html.isEmpty)
            #expect(try await portal.get("/static/style.css?v=old").header("Cache-Control") == "public, max-age=300")
        }
    }

    @Test("guessing tokens is slowed down for one address, not for others")
    func guessing() async throws {
        try await RunningPortal.with(PretendedChatServer()) { portal in
            let guesser = [(name: "X-Forwarded-For", value: "192.0.2.7, 2001:db8:1:2::9")]
            var statuses: [Int] = []
            for number in 0..<40 { statuses.append(try await portal.get("/invite/guess\(number)/", guesser).status) }
            #expect(statuses.first == 404 && statuses.contains(429))
            // The same household, which has far fewer than the thirty attempts that another has; one comes back every two seconds.
            let household = [(name: "X-Forwarded-For", value: "2001:db8:1:2:3::4")]
            var attempts = 0
            while attempts < 20, try await portal.get("/invite/x/", household).status != 429 { attempts += 1 }
            #expect(attempts < 20)
            // Another one that tries to be the first.
            #expect(try await portal.get("/invite/x/", [(name: "X-Forwarded-For", value: "2001:db8:1:2::9, 192.0.2.8")]).status == 404)
            #expect(try await portal.get(Self.path, guesser).status == 200, "a good invitation is always shown")
        }
    }

    @Test("the socket is open to nginx while the portal runs, and gone afterwards")
    func socket() async throws {
        let path = try await RunningPortal.with(PretendedChatServer()) { portal in
            var status = stat()
            try #require(stat(portal.socket, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o666)
            return portal.socket
        }
        #expect(access(path, F_OK) != 0)
    }
}
