import Glibc
import Lifecycle
import Settings
import Supervision

extension Parts {
    /// Watches the backups that are made by themselves, and tells the administrators when one fails or none is made. Never returns by itself.
    ///
    /// A timer of systemd makes them: they need more of root's rights than are kept here. Without root there is no such timer, and no such rights.
    func watchBackups() async throws {
        // Not while everything else is starting.
        try await Task.sleep(for: .seconds(30))
        var begun = Int(time(nil))
        var next = ContinuousClock.now
        while true {
            if geteuid() != 0, settings.backups.schedule != .off, next <= .now {
                await makeBackup()
                // As often as the timer would ask.
                next = .now + .seconds(3600)
            }
            if settings.backups.schedule == .off { begun = Int(time(nil)) }
            await tellOfBackups(since: begun)
            // Settings change, and so may the clock.
            try await Task.sleep(for: .seconds(60), tolerance: .seconds(10))
        }
    }

    /// - Parameter begun: since when backups could have been made.
    private func tellOfBackups(since begun: Int) async {
        let watch = BackupWatch(record: BackupRecord(state: locations.state), schedule: settings.backups.schedule, since: begun)
        guard let problem = watch.problem(at: Int(time(nil))) else {
            matters.close("backup")
            return await messages.tell("backup", level: 0, "The backups of \(settings.domain) are made again.")
        }
        if !matters.all.contains(where: { $0.matter == "backup" }) { say.problem(problem.report) }
        matters.open("backup", problem.report)
        await messages.tell(
            "backup", level: problem.level,
            """
            \(problem.level > 1 ? "There is no new backup of \(settings.domain)." : "The backup of \(settings.domain) failed. It is tried again, and everything else goes on.")
            What is wrong: \(problem.report.cause ?? problem.report.error).
            What to do: \(problem.report.tryThis ?? "mend that on the server").
            """)
    }

    /// A process of its own does it: what it needs of memory goes with it. What comes of it is in the record.
    private func makeBackup() async {
        // The settings that are in force, wherever they came from.
        let given = (Settings.Backups.options + ["SNIKKET_QUIET_HOURS"]).compactMap { name in settings.given[name].map { "--set=\(name)=\($0)" } }
        let specification = ServiceSpecification(
            name: "backup", executable: program,
            arguments: ["backup", "create", "--if-due", "--config", locations.configuration, "--state", locations.state] + given)
        // A day's backup that takes half a day does not end.
        _ = try? await Errand.run(specification, deadline: .seconds(43_200)) { _ in }
    }
}

/// Whether the backups that are made by themselves are as they should be.
struct BackupWatch {
    var record: BackupRecord
    var schedule: Settings.BackupSchedule
    /// Since when they could have been made, in seconds since 1970.
    var since: Int

    struct Problem: Equatable {
        /// 1: one failed; 2: there has been none for too long.
        var level: Int
        var report: StatusReport.ProblemReport
    }

    /// What is wrong; nil when nothing is, or none are wished.
    func problem(at now: Int) -> Problem? {
        guard let interval = schedule.interval else { return nil }
        let remedy = "mend that on the server, then `snikket backup create --if-due`"
        // A day late, or six hours for the very first: a large one takes its time.
        let late = record.lastGood.map { max(min($0, now) + interval, since) + 86_400 } ?? since + 21_600
        if now >= late {
            let last = record.lastGood.map { "the last one is of \(RFC3339.text($0))" } ?? "there has been none yet"
            return Problem(
                level: 2,
                report: .init(
                    error: "no backup has been made for too long", cause: record.problem.map { "\(last); \($0)" } ?? last,
                    tryThis: record.problem == nil ? "`systemctl status snikket-backup.timer snikket-backup`" : remedy))
        }
        return record.problem.map { .init(level: 1, report: .init(error: "the backup failed", cause: $0, tryThis: remedy)) }
    }
}
