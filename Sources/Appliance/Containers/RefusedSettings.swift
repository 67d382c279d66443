/// Settings that a container could not take over. They are tried again: a checker may have been slow, a port taken, a disk full.
struct RefusedSettings: Equatable {
    /// The file that was refused; nil as long as none was.
    private var mark: [Int]?
    private(set) var problem: StatusReport.ProblemReport?
    private var nextTry: ContinuousClock.Instant?
    private var pause = Self.firstPause

    /// The pauses double: settings that a server really does not serve with cost it a restart each time.
    static let firstPause = Duration.seconds(300)
    static let longestPause = Duration.seconds(3_600)

    /// Whether these are to be tried: others than those at once.
    func permits(_ mark: [Int]?, now: ContinuousClock.Instant = .now) -> Bool {
        guard let nextTry, mark == self.mark else { return true }
        return now >= nextTry
    }

    /// Remembers that these could not be taken over.
    ///
    /// - Returns: whether that is news.
    mutating func refused(_ mark: [Int]?, for problem: StatusReport.ProblemReport, now: ContinuousClock.Instant = .now) -> Bool {
        let isSame = nextTry != nil && mark == self.mark
        let isNews = !isSame || problem != self.problem
        pause = isSame ? min(pause * 2, Self.longestPause) : Self.firstPause
        (self.mark, self.problem, nextTry) = (mark, problem, now + pause)
        return isNews
    }
}
