import ChatServer
import ProsodyFixture
import Testing

@Suite("invitations and accounts of a real Prosody", .timeLimit(.minutes(2)))
struct InvitationTests {
    static let password = "correct horse battery"

    @Test("an invitation makes one account, with the role it carries, and is then used up")
    func oneAccount() async throws {
        try await RunningProsody.with { prosody in
            let server = prosody.server
            try await server.ping()
            #expect(try await server.users().isEmpty)
            #expect(try await server.invitations().isEmpty)
            var request = InvitationRequest()
            request.isAdmin = true
            request.comment = "for “Anna” <&>"
            let invitation = try await server.createInvitation(request)
            #expect(invitation.url == "https://chat.test/invite/\(invitation.token)/")
            #expect(invitation.uri == "xmpp:chat.test?register;preauth=\(invitation.token)")
            #expect(invitation.comment == request.comment && invitation.isAdmin && !invitation.isReusable)
            #expect(try await server.invitation(token: invitation.token) == invitation)
            #expect(try await server.invitations() == [invitation])

            #expect(try await server.register(token: invitation.token, username: "Anna", password: Self.password) == "anna@chat.test")
            #expect(try await server.users().map(\.username) == ["anna"])
            #expect(try await server.users().map(\.role) == ["prosody:admin"])
            #expect(try await XMPPConversation(prosody).logIn("anna", Self.password))
            #expect(try await server.users().first?.lastActive != nil)
            #expect(try await server.invitation(token: invitation.token) == nil)
            await #expect(throws: ChatServerError.invitationNotFound) {
                try await server.register(token: invitation.token, username: "ben", password: Self.password)
            }
        }
    }

    @Test("of many registrations with one invitation at the same time, one wins")
    func race() async throws {
        try await RunningProsody.with { prosody in
            let server = prosody.server
            let token = try await server.createInvitation(InvitationRequest()).token
            let results = await withTaskGroup(of: String.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        do throws(ChatServerError) {
                            return try await server.register(token: token, username: "user\(number)", password: Self.password)
                        } catch {
                            return "\(error)"
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results.filter { $0.hasSuffix("@chat.test") }.count == 1)
            #expect(results.filter { $0 == "invitationNotFound" }.count == 7)
            #expect(try await server.users().count == 1)
        }
    }

    @Test("a reusable invitation makes several accounts, an expired or revoked one none")
    func kinds() async throws {
        try await RunningProsody.with { prosody in
            let server = prosody.server
            var request = InvitationRequest()
            request.isReusable = true
            let reusable = try await server.createInvitation(request)
            for name in ["anna", "ben"] {
                #expect(try await server.register(token: reusable.token, username: name, password: Self.password) == "\(name)@chat.test")
            }
            #expect(try await server.users().map(\.role) == ["prosody:registered", "prosody:registered"])
            try await server.revokeInvitation(token: reusable.token)
            #expect(try await server.invitation(token: reusable.token) == nil)
            await #expect(throws: ChatServerError.invitationNotFound) { try await server.revokeInvitation(token: reusable.token) }

            request.lifetime = 1
            let short = try await server.createInvitation(request)
            try await eventually {
                if try await server.invitation(token: short.token) != nil { throw FixtureError.tooLate("still usable") }
            }
            await #expect(throws: ChatServerError.invitationNotFound) {
                try await server.register(token: short.token, username: "cleo", password: Self.password)
            }
            #expect(try await server.invitation(token: "../users") == nil)
            #expect(try await server.invitation(token: "") == nil)
        }
    }

    @Test("names follow RFC 7622, passwords have ten characters, and a name is given once")
    func rules() async throws {
        try await RunningProsody.with { prosody in
            let server = prosody.server
            var request = InvitationRequest()
            request.isReusable = true
            let token = try await server.createInvitation(request).token
            for name in ["", " ", "an na", "anna@chat.test", "a/b", "a\u{0}b", "a<b", String(repeating: "a", count: 1024)] {
                await #expect(throws: ChatServerError.invalid(field: "username", rule: "characters")) {
                    try await server.register(token: token, username: name, password: Self.password)
                }
            }
            for (password, rule) in [
                ("", "too-short"), ("123456789", "too-short"), ("äöüäöüäöü", "too-short"), ("0123456789\u{7}", "characters"),
                (String(repeating: "a", count: 1025), "too-long"),
            ] {
                await #expect(throws: ChatServerError.invalid(field: "password", rule: rule)) {
                    try await server.register(token: token, username: "anna", password: password)
                }
            }
            #expect(try await server.register(token: token, username: "ZOË", password: "ääääääääää") == "zoë@chat.test")
            await #expect(throws: ChatServerError.usernameTaken) {
                try await server.register(token: token, username: "zoë", password: Self.password)
            }
            #expect(try await XMPPConversation(prosody).logIn("zoë", "ääääääääää"))
            #expect(try await XMPPConversation(prosody).logIn("zoë", Self.password) == false)
        }
    }

    @Test("no token and no password is in Prosody's log, not even at its debug level")
    func logs() async throws {
        try await RunningProsody.with { prosody in
            let server = prosody.server
            let used = try await server.createInvitation(InvitationRequest()).token
            let kept = try await server.createInvitation(InvitationRequest()).token
            _ = try await server.invitation(token: kept)
            _ = try await server.register(token: used, username: "anna", password: Self.password)
            _ = try await server.invitation(token: used)
            try await server.revokeInvitation(token: kept)
            let log = try prosody.log()
            #expect(log.contains("User account created: anna@chat.test"))
            for secret in [used, kept, Self.password, prosody.secret] { #expect(!log.contains(secret)) }
        }
    }
}
