import Glibc
import Lifecycle
import Settings
import Subprocess
import Supervision
import SystemPackage

extension Parts {
    /// Has a backup made whenever one is due, and tells the administrators when that fails. Never returns by itself.
    func keepBackups() async throws {
        // Not while everything else is starting.
        try await Task.sleep(for: .seconds(30))
        var notBefore = 0
        while true {
            let now = Int(time(nil))
            if let due = nextBackup(), max(due, notBefore) <= now, await !makeBackup() { notBefore = now + 3600 }
            // Settings change, and so may the clock.
            try await Task.sleep(for: .seconds(300))
        }
    }

    /// When the next backup is due, in seconds since 1970; nil when none is wished. What lies in the folder tells: nothing else has to be remembered.
    private func nextBackup() -> Int? {
        guard let interval = settings.backups.schedule.interval else { return nil }
        let folder = BackupFolder(settings.backups.directory ?? locations.state + "/backups")
        return folder.items().first { $0.isScheduled && $0.domain == settings.domain }.map { $0.created + interval } ?? 0
    }

    /// A process of its own does it: what it needs of memory goes with it. Returns whether that went well.
    private func makeBackup() async -> Bool {
        do {
            try await runBackup()
            say.progress("a backup has been made")
            await messages.tell("backup", level: 0, "The backups of \(settings.domain) are made again.")
            return true
        } catch {
            guard !Task.isCancelled else { return true }
            let words = (error as? BackupFailure)?.words ?? "\(error)"
            say.progress("the backup failed: \(words)")
            await messages.tell(
                "backup", level: 1,
                """
                The backup of \(settings.domain) failed. It is tried again, and everything else goes on.
                What is wrong: \(words).
                What to do: mend that on the server, then `snikket backup create`.
                """)
            return false
        }
    }

    private func runBackup() async throws {
        // The settings that are in force, wherever they came from.
        let settings = Settings.Backups.options.compactMap { name in self.settings.given[name].map { "--set=\(name)=\($0)" } }
        let specification = ServiceSpecification(
            name: "backup", executable: program,
            arguments: ["backup", "create", "--scheduled", "--config", locations.configuration, "--state", locations.state] + settings)
        let arguments = Privileges.arguments(for: specification)
        let words = try await withThrowingTaskGroup(of: String?.self) { group in
            group.addTask { try await Self.lastWords(arguments, specification.environment) }
            group.addTask {
                // A day's backup that takes half a day does not end.
                try await Task.sleep(for: .seconds(43_200))
                return "it did not end within twelve hours"
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
        if let words { throw BackupFailure(words: words) }
    }

    /// What it said when it failed; nil when it did not.
    @concurrent
    private static func lastWords(_ arguments: [String], _ environment: [String: String]) async throws -> String? {
        let result = try await Subprocess.run(
            .path(FilePath(Privileges.program)), arguments: Arguments(arguments),
            environment: .custom(Dictionary(uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) })),
            output: .discarded, error: .string(limit: 16 << 10))
        guard !result.terminationStatus.isSuccess else { return nil }
        let lines = result.standardError.split(whereSeparator: \.isNewline)
        // `snikket: error: ...`, `snikket: cause: ...`: the marks are for a terminal.
        let parts = ["error: ", "cause: "].compactMap { mark in lines.first { $0.hasPrefix("snikket: \(mark)") }?.dropFirst(9 + mark.count) }
        return parts.isEmpty ? "it ended with \(result.terminationStatus)" : parts.joined(separator: ": ")
    }
}

/// What a backup that failed said.
private struct BackupFailure: Error {
    var words: String
}
