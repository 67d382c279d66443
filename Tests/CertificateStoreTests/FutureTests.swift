import Testing

@testable import CertificateStore

@Suite("a clock that was ahead")
struct FutureTests {
    private let failure = CertificateFailure(kind: .unreachable, error: "its certificate has ended")

    @Test("a pause that was begun in the future is over, and why the attempt failed is not forgotten")
    func pauses() {
        var attempts = AttemptState()
        attempts.renewal = RenewalPlan(serial: "1f", nextLook: 1_000)
        attempts.failed(failure, at: "https://a.example/dir", now: 50_000_000)
        attempts.failed(failure, asking: ["https://a.example/dir"], now: 50_000_000)
        attempts.forgetFuture(now: 2_000)
        #expect(attempts.nextAttempt == nil && attempts.authorities == nil && attempts.lastAttempt == 2_000 && attempts.firstFailure == 2_000)
        #expect(attempts.lastError == failure && attempts.failures == 1)
        #expect(attempts.renewal == RenewalPlan(serial: "1f", spread: attempts.renewal?.spread ?? -1, nextLook: 1_000))
        attempts.forgetFuture(now: 2_000)
    }

    @Test("a pause that was begun a moment ago counts, and so does one that the authority asked for")
    func ordinary() {
        var attempts = AttemptState()
        var slow = failure
        slow.retryAfter = 40 * 86_400
        attempts.failed(slow, now: 50_000_000)
        let before = attempts
        // Time servers set clocks back by a little all the time.
        attempts.forgetFuture(now: 50_000_000 - 30)
        attempts.forgetFuture(now: 50_000_000 + 86_400)
        #expect(attempts == before)
    }

    @Test("an authority that was to be asked in the future about the renewal is asked now")
    func looks() {
        var attempts = AttemptState(lastAttempt: 1_000)
        attempts.renewal = RenewalPlan(serial: "1f")
        attempts.renewal?.heardNothing(failure, now: 50_000_000)
        attempts.forgetFuture(now: 2_000)
        #expect(attempts.renewal?.nextLook == 2_000 && attempts.lastAttempt == 1_000)
        attempts.renewal?.heardNothing(failure, now: 2_000)
        let planned = attempts.renewal
        attempts.forgetFuture(now: 2_000)
        #expect(attempts.renewal == planned)
    }
}
