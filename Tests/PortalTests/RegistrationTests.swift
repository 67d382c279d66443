import ChatServer
import LocalHTTP
import ProsodyFixture
import Synchronization
import Testing

@testable import Portal

@Suite("registration in the browser", .timeLimit(.minutes(2)))
struct RegistrationTests {
    static let path = "/invite/abc-DEF_123/register"
    static let password = "correct horse battery"

    private static func fields(_ token: String, _ name: String, _ password: String, _ again: String? = nil) -> [(String, String)] {
        [("form", token), ("username", name), ("password", password), ("confirmation", again ?? password)]
    }

    @Test("invitation, page, form, account: with a real Prosody, and the account can log in")
    func endToEnd() async throws {
        try await RunningProsody.with { prosody in
            try await RunningPortal.with(prosody.server) { portal in
                var request = InvitationRequest()
                request.isAdmin = true
                let invitation = try await prosody.server.createInvitation(request)
                let page = try await portal.get("/invite/\(invitation.token)/")
                #expect(page.status == 200 && page.header("Link") == "<\(invitation.uri)>; rel=\"alternate\"")
                #expect(page.html.contains("makes you the administrator"))
                let form = try await portal.get("/invite/\(invitation.token)/register")
                let sent = try await portal.post(
                    "/invite/\(invitation.token)/register",
                    Self.fields(try #require(form.formToken), " Anna@chat.test ", "pässword & more=+%"), cookie: form.cookie)
                #expect(sent.status == 303 && sent.header("Location") == "/welcome")
                let welcome = try await portal.get("/welcome", [(name: "Cookie", value: try #require(sent.cookie))])
                #expect(welcome.status == 200 && welcome.html.contains("anna@chat.test"))
                #expect(try await prosody.server.users().map(\.role) == ["prosody:admin"])
                #expect(try await XMPPConversation(prosody).logIn("anna", "pässword & more=+%"))
                #expect(try await portal.get("/invite/\(invitation.token)/").status == 404)
            }
        }
    }

    @Test("what is wrong stands next to its field, the name is kept, the password never")
    func problems() async throws {
        let server = PretendedChatServer()
        server.state.withLock { $0.users["anna"] = "" }
        try await RunningPortal.with(server) { portal in
            let form = try await portal.get(Self.path)
            let token = try #require(form.formToken)
            for (name, password, again, status, text, id) in [
                ("", Self.password, Self.password, 400, "Choose a user name.", "username"),
                ("an na", Self.password, Self.password, 400, "This name can’t be used.", "username"),
                ("<ann>", Self.password, Self.password, 400, "This name can’t be used.", "username"),
                ("ben", "123456789", "123456789", 400, "The password is too short.", "password"),
                ("ben", Self.password, Self.password + "x", 400, "The two passwords are not the same.", "confirmation"),
                ("anna", Self.password, Self.password, 409, "Somebody already has this name.", "username"),
            ] {
                let page = try await portal.post(Self.path, Self.fields(token, name, password, again), cookie: form.cookie)
                #expect(page.status == status && page.html.contains("role=\"alert\""))
                #expect(page.html.contains("id=\"\(id)-error\">\(text)"), "\(text)")
                #expect(page.html.split(separator: "aria-invalid").count == 2)
                let kept = name.replacing("<", with: "&lt;").replacing(">", with: "&gt;")
                #expect(page.html.contains("name=\"username\" type=\"text\" value=\"\(kept)\""))
                #expect(!page.html.contains(Self.password) && !page.html.contains("123456789"))
            }
            #expect(server.state.withLock { $0.users.count } == 1)
        }
    }

    @Test("a form of another site, of another browser, or without its cookie makes no account")
    func forgery() async throws {
        let server = PretendedChatServer()
        try await RunningPortal.with(server) { portal in
            let form = try await portal.get(Self.path)
            let other = try await portal.get(Self.path)
            let token = try #require(form.formToken)
            #expect(form.header("Set-Cookie")?.contains("HttpOnly") == true && form.header("Set-Cookie")?.contains("SameSite=Lax") == true)
            #expect(form.header("Set-Cookie")?.hasPrefix("__Host-form=") == true && form.header("Set-Cookie")?.contains("Secure") == true)
            let good = Self.fields(token, "anna", Self.password)
            for cookie in [nil, other.cookie, "__Host-form=", "__Host-form=\(String(repeating: "0", count: 32))"] {
                let page = try await portal.post(Self.path, good, cookie: cookie)
                #expect(page.status == 403 && page.html.contains("Nothing was created") && page.html.contains("value=\"anna\""))
            }
            let crossSite = try await portal.post(Self.path, good, cookie: form.cookie, [(name: "Sec-Fetch-Site", value: "cross-site")])
            #expect(crossSite.status == 400)
            #expect(server.state.withLock { $0.users.isEmpty })
            // A second tab of the same browser keeps the first one's form valid.
            let tab = try await portal.get(Self.path, [(name: "Cookie", value: try #require(form.cookie))])
            #expect(tab.formToken == token)
            let page = try await portal.post(Self.path, good, cookie: form.cookie, [(name: "Sec-Fetch-Site", value: "same-origin")])
            #expect(page.status == 303)
        }
    }

    @Test("a body that is too large or no form is refused, a used invitation is gone, and trying on and on is slowed down")
    func limits() async throws {
        let server = PretendedChatServer()
        try await RunningPortal.with(server) { portal in
            let form = try await portal.get(Self.path)
            let token = try #require(form.formToken)
            let large = try await portal.post(Self.path, Self.fields(token, String(repeating: "a", count: 20_000), "x"), cookie: form.cookie)
            #expect(large.status == 413)
            let broken = try await portal.client.send(.init(method: .post, path: Self.path, body: Array("username=%zz".utf8)), deadline: .seconds(5))
            #expect(broken.status == 400)
            #expect(try await portal.post("/invite/gone/register", Self.fields(token, "anna", Self.password), cookie: form.cookie).status == 404)
            var statuses: [Int] = []
            let household = [(name: "X-Forwarded-For", value: "192.0.2.7")]
            for _ in 0..<25 { statuses.append(try await portal.post(Self.path, Self.fields(token, "", ""), cookie: form.cookie, household).status) }
            #expect(statuses.first == 400 && statuses.last == 429)
        }
    }

    @Test("the welcome page is for whoever has just registered; others are led to the start")
    func welcome() async throws {
        try await RunningPortal.with(PretendedChatServer()) { portal in
            for cookie in ["", "__Host-welcome=", "__Host-welcome=%zz"] {
                let page = try await portal.get("/welcome", [(name: "Cookie", value: cookie)])
                #expect(page.status == 303 && page.header("Location") == "/")
            }
            let page = try await portal.get("/welcome", [(name: "Cookie", value: "__Host-welcome=%3Cb%3E")])
            #expect(page.status == 200 && page.html.contains("&lt;b&gt;@chat.test"))
        }
    }
}
