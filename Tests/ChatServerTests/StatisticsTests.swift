import ChatServer
import ProsodyFixture
import Testing

@Suite("what a real Prosody tells of itself", .timeLimit(.minutes(2)))
struct StatisticsTests {
    @Test("its own numbers are there without any setting, and count who is there")
    func own() async throws {
        try await RunningProsody.with { prosody in
            let invitation = try await prosody.server.createInvitation(InvitationRequest())
            _ = try await prosody.server.register(token: invitation.token, username: "anna", password: "correct horse battery")
            let before = try await prosody.server.statistics()
            #expect(Self.value(before, "prosody_users_online") == 0)
            #expect(try #require(Self.value(before, "prosody_lua_memory_bytes")) > 1_000_000)
            #expect(try #require(Self.value(before, "prosody_start_time_seconds")) > 1_700_000_000)
            #expect(Self.value(before, "prosody_messages") == 0)
            let names = before.map(\.name)
            #expect(Set(names).count == names.count && names.allSatisfy { $0.hasPrefix("prosody_") })
            // Nothing of the modules: `statistics` is not set.
            #expect(names.count == 7)
        }
    }

    private static func value(_ families: [ChatStatistics], _ name: String) -> Double? {
        families.first { $0.name == name }?.samples.first?.value
    }
}
