/// How often a server has failed lately, each time after it had been well: one that dies every few minutes is never in a crash loop, and still ill.
struct RecentFailures {
    private let policy: RestartPolicy
    /// The moments of the last ones, oldest first.
    private var moments: [Duration] = []
    private var wereOften = false

    init(_ policy: RestartPolicy) {
        self.policy = policy
    }

    /// - Parameter now: time since some fixed moment.
    mutating func note(at now: Duration) {
        wereOften = areOften(at: now)
        moments.append(now)
        moments.removeAll { now - $0 >= policy.oftenWithin }
        if moments.count >= policy.oftenAfter { wereOften = true }
        // Earlier ones do not matter.
        moments = Array(moments.suffix(policy.oftenAfter))
    }

    /// Whether it has failed often, and a whole window without a failure has not passed since.
    func areOften(at now: Duration) -> Bool {
        wereOften && moments.last.map { now - $0 < policy.oftenWithin } ?? false
    }
}
