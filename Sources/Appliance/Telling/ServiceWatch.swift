import Supervision

/// What administrators hear of a server. One that comes up for a moment only is not well: since when it is, is kept from one look to the next.
struct ServiceWatch {
    /// So long it has to have been well before that is told.
    static let wellAfter = Duration.seconds(120)
    /// So long it may take to come up, to stop or to get well before that is told, whatever goes on.
    static let downAfter = Duration.seconds(300)

    struct Notice: Equatable {
        /// 1: it needs a hand; 0: it is well.
        var level: Int
        var text: String
    }

    private var wellSince: Duration?
    private var downSince: Duration?
    private var pid: Int32?

    /// - Parameters:
    ///   - isLasting: whether it does not do all that it should, and starting it again did not help.
    ///   - isOnProbation: whether that was so until lately.
    ///   - now: time since some fixed moment.
    /// - Returns: nil when there is nothing to tell, or it is not known yet.
    mutating func notice(
        of snapshot: ServiceSnapshot, isLasting: Bool, isOnProbation: Bool, domain: String, now: Duration = Self.uptime()
    ) -> Notice? {
        let isWell = snapshot.state == .ready && !snapshot.failsOften && !isOnProbation
        if !isWell || snapshot.pid != pid { wellSince = nil }
        pid = snapshot.pid
        if isWell { wellSince = wellSince ?? now }
        // One that is stopped is not wanted yet.
        let isDown = snapshot.state != .ready && snapshot.state != .stopped
        downSince = isDown ? downSince ?? now : nil
        let name = snapshot.name
        let why = snapshot.lastProblem.map { "\($0)" } ?? "it says nothing"
        switch snapshot.state {
        case .failed:
            return Notice(
                level: 1,
                text: """
                    \(name), a part of \(domain), keeps failing. It is tried again now and then; everything else goes on.
                    What is wrong: \(why).
                    What to do: look at `snikket logs \(name)` on the server.
                    """)
        case .unhealthy where isLasting:
            return Notice(
                level: 1,
                text: """
                    \(name), a part of \(domain), does not do all that it should, and starting it again did not help.
                    What is wrong: \(why).
                    What to do: look at `snikket logs \(name)` on the server.
                    """)
        case _ where snapshot.failsOften:
            return Notice(
                level: 1,
                text: """
                    \(name), a part of \(domain), fails again and again. It is started again each time; everything else goes on.
                    What was wrong the last time: \(why).
                    What to do: look at `snikket logs \(name)` on the server.
                    """)
        case _ where downSince.map { now - $0 >= Self.downAfter } ?? false:
            return Notice(
                level: 1,
                text: """
                    \(name), a part of \(domain), has not been up for \(Self.downAfter.components.seconds / 60) minutes; its state is `\(snapshot.state.name)`.
                    What was wrong the last time: \(why).
                    What to do: look at `snikket logs \(name)` on the server; `systemctl restart snikket` starts everything anew.
                    """)
        default:
            guard let wellSince, now - wellSince >= Self.wellAfter else { return nil }
            return Notice(level: 0, text: "\(name), a part of \(domain), works again.")
        }
    }

    /// What is wrong with one that is well each time one looks, and still fails again and again; nil when it does not.
    static func often(_ snapshot: ServiceSnapshot) -> StatusReport.ProblemReport? {
        guard snapshot.failsOften else { return nil }
        let name = snapshot.name
        return .init(
            error: "\(name) fails again and again, and is started again each time", cause: snapshot.lastProblem.map { "\($0)" },
            tryThis: "snikket logs \(name)")
    }

    private static let start = ContinuousClock.now

    /// Time that no clock is set by.
    private static func uptime() -> Duration { start.duration(to: .now) }
}
