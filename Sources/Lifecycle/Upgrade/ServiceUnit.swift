import Supervision

/// The unit of `snikket up`, and what the running one says of itself.
public struct ServiceUnit: Sendable {
    private static let systemctl = "/usr/bin/systemctl"
    let name: String
    /// The program that is installed.
    let program: String

    public init(_ places: UpgradePlaces) {
        (name, program) = (places.service, places.program)
    }

    /// What systemd knows.
    struct Facts: Equatable {
        var state = ""
        var process = ""
        var restarts = 0
        /// Whether it runs, or is being started again and again.
        var isWanted: Bool { ["active", "activating", "reloading"].contains(state) }
    }

    func facts() async throws(UpgradeError) -> Facts {
        let text = try await Tool(Self.systemctl, "show", "-p", "ActiveState", "-p", "MainPID", "-p", "NRestarts", name).succeed()
        var facts = Facts()
        for line in text.split(separator: "\n") {
            let words = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard words.count == 2 else { continue }
            switch words[0] {
            case "ActiveState": facts.state = words[1]
            case "MainPID": facts.process = words[1]
            case "NRestarts": facts.restarts = Int(words[1]) ?? 0
            default: break
            }
        }
        return facts
    }

    /// Whether the service is wanted, and whether everything serves.
    public func look() async throws(UpgradeError) -> (isRunning: Bool, isHealthy: Bool) {
        let isWanted = try await facts().isWanted
        guard isWanted else { return (false, false) }
        return (true, try await status().isHealthy)
    }

    /// What `snikket status` says: everything serves, and somebody can log in; whether it answers at all; what is wrong.
    func status() async throws(UpgradeError) -> (isHealthy: Bool, answers: Bool, words: String) {
        let output = try await Tool(program, "status", "--json", "--login", within: .seconds(45)).run()
        let lines = output.errors.split(separator: "\n")
        let said = ["snikket: error: ", "snikket: cause: "].compactMap { part in
            lines.first { $0.hasPrefix(part) }.map { String($0.dropFirst(part.count)) }
        }
        return (output.succeeded, !output.text.isEmpty, said.isEmpty ? "not everything serves" : said.joined(separator: ": "))
    }

    func stop() async throws(UpgradeError) {
        try await Tool(Self.systemctl, "stop", name, within: .seconds(120)).succeed()
    }

    /// Ends the backup that a timer has begun, if there is one.
    func stopBackups() async {
        _ = try? await Tool(Self.systemctl, "stop", "snikket-backup.service", within: .seconds(120)).run()
    }

    /// Without waiting until it serves.
    func start() async throws(UpgradeError) {
        _ = try await Tool(Self.systemctl, "reset-failed", name).run()
        try await Tool(Self.systemctl, "start", "--no-block", name).succeed()
    }

    /// Sees to it that what runs is what is installed now: somebody's own policy-rc.d can forbid packages to restart anything. Without waiting until it
    /// serves.
    ///
    /// - Parameter former: the process of the old version.
    func restart(ifStill former: String) async throws(UpgradeError) {
        guard try await facts().process == former else { return }
        try await Tool(Self.systemctl, "restart", "--no-block", name).succeed()
    }

    /// Waits until what is installed serves and goes on doing so.
    ///
    /// - Parameters:
    ///   - everything: whether everything has to serve; otherwise it is enough that it runs and answers.
    ///   - former: the process of the old version, which it must not be; nil when that has been stopped.
    ///   - isImpatient: whether to give up as soon as it has ended by itself some times.
    /// - Returns: nil, or why it does not, in words.
    func problem(everything: Bool, former: String? = nil, within deadline: Duration, isImpatient: Bool) async throws(UpgradeError) -> String? {
        let end = ContinuousClock.now.advanced(by: deadline)
        var (good, deaths, process, words) = (0, 0, "", "it does not answer")
        var known = try await facts().restarts
        while ContinuousClock.now < end {
            let facts = try await facts()
            if facts.restarts > known { deaths += facts.restarts - known }
            known = facts.restarts
            if isImpatient, facts.state == "failed" || deaths >= 3 { return "it ends as soon as it is started; \(words)" }
            let status = try await status()
            let isCurrent = facts.process != former
            let isGood = isCurrent && (everything ? status.isHealthy : status.answers)
            if isGood, good == 0 || facts.process == process { good += 1 } else { good = isGood ? 1 : 0 }
            process = facts.process
            if good >= 3 { return nil }
            if !isGood { words = isCurrent || !status.answers ? status.words : "the old version goes on running" }
            try? await Task.sleep(for: .seconds(1))
        }
        return words
    }
}
