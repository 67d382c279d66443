import Glibc
import Health
import Testing

@Suite("What is remembered of probes")
struct RecordTests {
    @Test("the last answer of each probe is remembered, and how many of all were bad")
    func records() async throws {
        let records = ProbeRecords()
        let begin = time(nil)
        try await records.timed("prosody", "c2s") {}
        await #expect(throws: ProbeFailure.refused) {
            try await records.timed("prosody", "c2s") { throw ProbeFailure.refused }
        }
        records.note("coturn", "stun", latency: .milliseconds(3), failure: nil)
        let all = records.records
        #expect(all.map(\.service) == ["coturn", "prosody"])
        let client = try #require(all.last)
        #expect((client.probe, client.checks, client.failures) == ("c2s", 2, 1))
        #expect(client.failure == "nothing listens there")
        #expect(client.checkedAt >= begin && client.checkedAt <= time(nil))
        try await records.timed("prosody", "c2s") {}
        #expect(records.records.last?.failure == nil)
        #expect(records.records.last?.failures == 1)
    }

    @Test("the time that an answer took is measured")
    func latency() async throws {
        let records = ProbeRecords()
        try await records.timed("nginx", "https") { try await Task.sleep(for: .milliseconds(20)) }
        let record = try #require(records.records.first)
        #expect(record.latency >= .milliseconds(20) && record.latency < .seconds(5))
    }

    @Test("an answer that nobody waits for any more is no answer")
    func cancelled() async throws {
        let records = ProbeRecords()
        let asking = Task { try await records.timed("portal", "health") { try await Task.sleep(for: .seconds(600)) } }
        asking.cancel()
        await #expect(throws: CancellationError.self) { try await asking.value }
        #expect(records.records.isEmpty)
    }
}
