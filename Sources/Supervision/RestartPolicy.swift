/// The pauses before a failed server is started again: none, then growing ones, then long ones.
public struct RestartPolicy: Sendable {
    /// The pause before the second restart in a row; the first restart comes at once, each later pause is twice as long.
    public var firstPause: Duration
    /// No growing pause is longer.
    public var longestPause: Duration
    /// The part of a pause that chance adds or takes away, so that servers do not fall over in step: 0.2 is a fifth.
    public var jitter: Double
    /// A server that was ready for so long has its earlier failures forgotten.
    public var stableAfter: Duration
    /// After so many failures in a row it counts as failed, and is only tried again now and then.
    public var failedAfter: Int
    /// The pause between those tries.
    public var failedPause: Duration
    /// A server that failed so many times within ``oftenWithin``, each time after it had been stable, fails often, until that time has passed without a failure.
    public var oftenAfter: Int
    public var oftenWithin: Duration

    public init(
        firstPause: Duration = .milliseconds(250), longestPause: Duration = .seconds(30), jitter: Double = 0.2,
        stableAfter: Duration = .seconds(60), failedAfter: Int = 8, failedPause: Duration = .seconds(300),
        oftenAfter: Int = 5, oftenWithin: Duration = .seconds(3_600)
    ) {
        self.firstPause = firstPause
        self.longestPause = longestPause
        self.jitter = jitter
        self.stableAfter = stableAfter
        self.failedAfter = failedAfter
        self.failedPause = failedPause
        self.oftenAfter = oftenAfter
        self.oftenWithin = oftenWithin
    }

    /// The pause before the next start.
    ///
    /// - Parameters:
    ///   - failures: how many in a row, this one included.
    ///   - chance: from -1 to 1.
    func pause(after failures: Int, chance: Double) -> Duration {
        guard failures > 1 else { return .zero }
        let drift = 1 + jitter * chance
        guard failures < failedAfter else { return failedPause * drift }
        var pause = firstPause
        for _ in 2..<failures where pause < longestPause { pause = pause * 2 }
        return min(pause, longestPause) * drift
    }
}
