import Settings
import Supervision
import Synchronization
import Testing

@testable import Appliance

@Suite("What a deep look leads to")
struct DeepVerdictTests {
    /// Time that only the test lets pass.
    private final class Time: Sendable {
        let now = Mutex(Duration.zero)
        func pass(_ duration: Duration) { now.withLock { $0 += duration } }
    }

    private func begun(_ time: Time = Time()) -> DeepVerdicts {
        let verdicts = DeepVerdicts { time.now.withLock { $0 } }
        verdicts.begin(.prosody)
        return verdicts
    }

    private func note(_ fault: String?, _ verdicts: DeepVerdicts, times: Int = 1) {
        for _ in 0..<times { verdicts.note(.prosody, generation: verdicts.generations[.prosody] ?? -1, fault: fault) }
    }

    @Test("one bad look, or two, cause nothing but another look soon")
    func few() throws {
        let verdicts = begun()
        #expect(!verdicts.isSuspicious)
        note("c2s_sasl: no answer in time", verdicts)
        #expect(verdicts.isSuspicious)
        note("c2s_sasl: no answer in time", verdicts)
        try verdicts.check(.prosody)
        note(nil, verdicts)
        #expect(!verdicts.isSuspicious)
        note("c2s_sasl: no answer in time", verdicts, times: 2)
        try verdicts.check(.prosody)
    }

    @Test("three bad looks in a row have the server started again, with the reason named")
    func three() throws {
        let verdicts = begun()
        note("c2s_sasl: it offers no way to log in", verdicts, times: 3)
        let fault = #expect(throws: DeepFault.self) { try verdicts.check(.prosody) }
        #expect(fault?.description == "c2s_sasl: it offers no way to log in")
        // The others are not concerned.
        try verdicts.check(.nginx)
        verdicts.begin(.prosody)
        try verdicts.check(.prosody)
        #expect(verdicts.isSuspicious, "whether it helped is to be seen soon")
        note(nil, verdicts)
        #expect(!verdicts.isSuspicious)
    }

    @Test("a server that a restart did not mend goes on as unhealthy, and is started again after growing pauses")
    func lasting() throws {
        let time = Time()
        let verdicts = begun(time)
        #expect(!verdicts.isLasting(.prosody))
        for pause in [Duration.zero, .seconds(60), .seconds(300), .seconds(1_800), .seconds(6 * 3_600), .seconds(6 * 3_600)] {
            note("upload: it answered with the HTTP status 404", verdicts, times: 3)
            if pause > .zero {
                time.pass(pause - .seconds(1))
                #expect(throws: ServiceImpaired.self) { try verdicts.check(.prosody) }
                #expect(!verdicts.isSuspicious)
                time.pass(.seconds(1))
            }
            #expect(throws: DeepFault.self) { try verdicts.check(.prosody) }
            verdicts.begin(.prosody)
        }
        #expect(!verdicts.isLasting(.prosody), "it is on trial")
        note("upload: it answered with the HTTP status 404", verdicts, times: 3)
        #expect(verdicts.isLasting(.prosody))
    }

    @Test("a server that was well for ten minutes, at each look, has its restarts forgotten")
    func forgotten() {
        let time = Time()
        let verdicts = begun(time)
        note("x", verdicts, times: 3)
        #expect(!verdicts.isOnProbation(.prosody))
        verdicts.begin(.prosody)
        note("x", verdicts, times: 3)
        #expect(throws: ServiceImpaired.self) { try verdicts.check(.prosody) }
        // Bad for half an hour, with a good look now and then.
        for _ in 0..<6 {
            time.pass(.seconds(300))
            note(nil, verdicts)
            note("x", verdicts, times: 3)
            #expect(verdicts.isOnProbation(.prosody), "well for a moment is not well")
        }
        note(nil, verdicts)
        for _ in 0..<9 {
            time.pass(.seconds(60))
            note(nil, verdicts)
            #expect(verdicts.isOnProbation(.prosody))
        }
        time.pass(.seconds(60))
        note(nil, verdicts)
        #expect(!verdicts.isOnProbation(.prosody))
        note("x", verdicts, times: 3)
        #expect(throws: DeepFault.self) { try verdicts.check(.prosody) }
    }

    @Test("what was seen of an earlier process does not count")
    func generations() throws {
        let verdicts = begun()
        let before = verdicts.generations[.prosody] ?? -1
        verdicts.begin(.prosody)
        for _ in 0..<5 { verdicts.note(.prosody, generation: before, fault: "x") }
        try verdicts.check(.prosody)
        #expect(!verdicts.isSuspicious)
    }
}
