import CertificateStore
import Testing

@Suite("When to renew")
struct RenewalPlanTests {
    private static let day = 86_400
    private static let record = CertificateRecord(names: ["a.org"], issuer: "CA", serial: "01", notBefore: 0, notAfter: 90 * day)

    @Test("in the CA's window at the chosen moment; at two thirds of the life where there is none; at half of a short one")
    func time() {
        var plan = RenewalPlan(serial: "01", spread: 0.25)
        #expect(plan.time(of: Self.record) == Self.record.renewalTime(spread: 0.25))
        plan.heard(RenewalWindow(start: 50 * Self.day, end: 54 * Self.day, retryAfter: 7_200), now: 1_000)
        #expect(plan.time(of: Self.record) == 51 * Self.day)
        #expect(plan.nextLook == 8_200)
        let short = CertificateRecord(names: [], issuer: "", serial: "02", notBefore: 0, notAfter: 6 * Self.day)
        #expect(RenewalPlan(serial: "02", spread: 0).time(of: short) == 3 * Self.day)
    }

    @Test("a window that the CA pulls in is followed, one that leaves no time for a second attempt is not")
    func pulledIn() {
        var plan = RenewalPlan(serial: "01", spread: 1)
        plan.heard(RenewalWindow(start: -9, end: -1), now: 0)
        #expect(plan.time(of: Self.record) < 0)
        plan.heard(RenewalWindow(start: 89 * Self.day, end: 100 * Self.day), now: 0)
        #expect(plan.time(of: Self.record) == 81 * Self.day)
    }

    @Test("what the CA said before holds while it cannot be asked, and it is not asked more often than every six hours")
    func silence() {
        var plan = RenewalPlan(serial: "01", spread: 0)
        let window = RenewalWindow(start: 5, end: 6, retryAfter: 60)
        plan.heard(window, now: 0)
        plan.heardNothing(CertificateFailure(kind: .caDown, error: "down"), now: 100)
        #expect(plan.window == window && plan.nextLook == 21_700)
        plan.heardNothing(CertificateFailure(kind: .rateLimited, error: "slow", retryAfter: 999_999), now: 0)
        #expect(plan.nextLook == Self.day)
    }
}

@Suite("Several authorities")
struct AuthorityStateTests {
    private let down = CertificateFailure(kind: .caDown, error: "down")

    @Test("one stays down after two failures in a row, or when it says so")
    func staysDown() {
        var state = AttemptState()
        state.failed(down, at: "a", now: 0)
        #expect(state.authorities?["a"]?.staysDown(now: 0) == false)
        state.failed(down, at: "a", now: 100)
        #expect(state.authorities?["a"]?.staysDown(now: 100) == true)
        state.failed(CertificateFailure(kind: .rateLimited, error: "slow", retryAfter: 86_400), at: "b", now: 0)
        #expect(state.authorities?["b"]?.staysDown(now: 0) == true)
    }

    @Test("success at one does not make the others well, and ends the pause")
    func success() {
        var state = AttemptState()
        for directory in ["a", "a", "b"] { state.failed(down, at: directory, now: 0) }
        state.failed(down, asking: ["a", "b"], now: 0)
        #expect(state.firstFailure == 0)
        state.succeeded(at: "b", now: 5)
        #expect(state.authorities?.keys.sorted() == ["a"])
        #expect(state.nextAttempt == nil && state.firstFailure == nil && state.failures == 0)
        state.succeeded(at: "a", now: 6)
        #expect(state.authorities == nil)
    }

    @Test("the pause of one does not hold the other up")
    func pauses() {
        let limited = CertificateFailure(kind: .rateLimited, error: "slow", retryAfter: 86_400)
        var state = AttemptState()
        state.failed(limited, at: "a", now: 0)
        state.failed(limited, asking: ["a", "b"], now: 0)
        #expect(state.nextAttempt == 60)
        var alone = AttemptState()
        alone.failed(limited, asking: ["a"], now: 0)
        #expect(alone.nextAttempt == 86_400)
    }

    @Test("a certificate that could not be used is not asked for again on the same day: a CA gives five a week")
    func useless() {
        var state = AttemptState()
        state.failed(CertificateFailure(kind: .badCertificate, error: "wrong key"), now: 0)
        #expect(state.nextAttempt == 86_400)
    }
}
