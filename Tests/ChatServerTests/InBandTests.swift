import ChatServer
import FoundationEssentials
import LocalHTTP
import ProsodyFixture
import Testing

@Suite("apps register in-band with the same invitations", .timeLimit(.minutes(2)))
struct InBandTests {
    static let password = "correct horse battery"

    @Test("an app that shows its token gets the account and the role, and the invitation is used up")
    func register() async throws {
        try await RunningProsody.with { prosody in
            var request = InvitationRequest()
            request.isAdmin = true
            let token = try await prosody.server.createInvitation(request).token
            let app = try await XMPPConversation(prosody)
            #expect(try await app.showToken(token).contains("type='result'"))
            #expect(try await app.register("anna", Self.password).contains("type='result'"))
            #expect(try await prosody.server.users().map(\.role) == ["prosody:admin"])
            #expect(try await prosody.server.invitation(token: token) == nil)
            #expect(try await app.logIn("anna", Self.password))
            #expect(try await XMPPConversation(prosody).register("ben", Self.password).contains("type='error'"), "no token, no account")
        }
    }

    @Test("two apps that show the same token, and a browser: the first that registers gets the account")
    func sameToken() async throws {
        try await RunningProsody.with { prosody in
            let token = try await prosody.server.createInvitation(InvitationRequest()).token
            let (first, second) = (try await XMPPConversation(prosody), try await XMPPConversation(prosody))
            #expect(try await first.showToken(token).contains("type='result'"))
            #expect(try await second.showToken(token).contains("type='result'"))
            _ = try await prosody.server.register(token: token, username: "anna", password: Self.password)
            for (app, name) in [(first, "ben"), (second, "cleo")] {
                let answer = try await app.register(name, Self.password)
                #expect(answer.contains("type='error'") && answer.contains("<forbidden"))
            }
            #expect(try await prosody.server.users().map(\.username) == ["anna"])

            let next = try await prosody.server.createInvitation(InvitationRequest()).token
            #expect(try await first.showToken(next).contains("type='result'"))
            try await prosody.server.revokeInvitation(token: next)
            #expect(try await first.register("dora", Self.password).contains("<forbidden"), "revoked in between")
        }
    }

    @Test("an invitation that a person's app made leads to our page, and makes the two contacts of each other")
    func contact() async throws {
        try await RunningProsody.with { prosody in
            let server = prosody.server
            let token = try await server.createInvitation(InvitationRequest()).token
            _ = try await server.register(token: token, username: "anna", password: Self.password)

            struct Made: Decodable { var token, page: String }
            let answer = try await prosody.client().send(.init(path: "/fixture/contact-invitation/anna"), deadline: .seconds(5))
            let made = try JSONDecoder().decode(Made.self, from: Data(answer.body))
            #expect(made.page == "https://chat.test/invite/\(made.token)/")
            let invitation = try #require(try await server.invitation(token: made.token))
            #expect(invitation.inviter == "anna@chat.test" && invitation.url == made.page)
            #expect(invitation.uri == "xmpp:anna@chat.test?roster;preauth=\(made.token);ibr=y")

            _ = try await server.register(token: made.token, username: "ben", password: Self.password)
            for (name, other) in [("anna", "ben"), ("ben", "anna")] {
                let answer = try await prosody.client().send(.init(path: "/fixture/contacts/\(name)"), deadline: .seconds(5))
                #expect(try JSONDecoder().decode([String: String].self, from: Data(answer.body)) == ["\(other)@chat.test": "both"])
            }
        }
    }
}
