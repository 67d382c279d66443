import Glibc
import Lifecycle
import RealServers
import Settings
import Testing

@testable import Appliance

@Suite("Backups that are made by themselves")
struct BackupScheduleTests {
    private static let day = 86_400

    private static func settings(_ more: String...) throws -> Settings {
        let lines = ["SNIKKET_DOMAIN=chat.example.org", "SNIKKET_ADMIN_EMAIL=admin@example.org"] + more
        return try Settings(parsing: lines.joined(separator: "\n"), file: "snikket.conf")
    }

    /// Seconds since 1970 of an hour of a day on this machine's clock.
    private static func moment(_ dayOfMonth: Int32, _ hour: Int32, _ minute: Int32) -> Int {
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_isdst) = (126, 0, dayOfMonth, hour, minute, -1)
        return mktime(&parts)
    }

    /// A state with one backup that was made then.
    private func withBackup(
        at moment: Int, isScheduled: Bool = true, _ body: @escaping @Sendable (Locations) throws -> Void
    ) async throws {
        try await Scratch.with { scratch in
            try scratch.folder(scratch.locations.state)
            try scratch.folder(scratch.locations.state + "/backups")
            let name = BackupFolder.name(domain: "chat.example.org", created: moment, isScheduled: isScheduled, isEncrypted: false)
            try scratch.file(scratch.locations.state + "/backups/" + name, "", mode: 0o600)
            try body(scratch.locations)
        }
    }

    @Test("one a day, at the same time of the day, and none when none are wished")
    func daily() async throws {
        let made = Self.moment(14, 12, 7)
        try await withBackup(at: made) { locations in
            let daily = try Self.settings("SNIKKET_BACKUP_SCHEDULE=daily")
            #expect(!daily.isBackupDue(in: locations, now: made + Self.day - 3600))
            #expect(daily.isBackupDue(in: locations, now: made + Self.day - 5))
            #expect(try !Self.settings("SNIKKET_BACKUP_SCHEDULE=weekly").isBackupDue(in: locations, now: made + Self.day))
            #expect(try !Self.settings().isBackupDue(in: locations, now: made + 30 * Self.day))
        }
    }

    @Test("what a person made, or what was made when the clock was wrong, is not the last one")
    func others() async throws {
        let now = Self.moment(14, 12, 7)
        let daily = try Self.settings("SNIKKET_BACKUP_SCHEDULE=daily")
        try await withBackup(at: now - 60, isScheduled: false) { #expect(daily.isBackupDue(in: $0, now: now)) }
        try await withBackup(at: now + 90 * Self.day) { #expect(daily.isBackupDue(in: $0, now: now)) }
    }

    @Test("with quiet hours it is made in them, every day; and later only when they were slept through")
    func quiet() async throws {
        let daily = try Self.settings("SNIKKET_BACKUP_SCHEDULE=daily", "SNIKKET_QUIET_HOURS=3-5")
        try await withBackup(at: Self.moment(14, 4, 50)) { locations in
            #expect(!daily.isBackupDue(in: locations, now: Self.moment(14, 23, 0)))
            #expect(!daily.isBackupDue(in: locations, now: Self.moment(15, 2, 59)))
            #expect(daily.isBackupDue(in: locations, now: Self.moment(15, 3, 7)))
            #expect(!daily.isBackupDue(in: locations, now: Self.moment(15, 9, 0)))
            #expect(daily.isBackupDue(in: locations, now: Self.moment(15, 17, 0)))
        }
    }

    @Test("a failure is told with its reason; that none is made for too long is more urgent")
    func watch() {
        var watch = BackupWatch(record: BackupRecord(), schedule: .daily, since: 1_000_000)
        #expect(watch.problem(at: 1_000_000 + 3600) == nil)
        #expect(watch.problem(at: 1_000_000 + 7 * 3600)?.level == 2)
        watch.record.succeeded(1_000_000 + 3600)
        #expect(watch.problem(at: 1_000_000 + 7 * 3600) == nil)
        watch.record.failed("the disk is full", waiting: nil)
        #expect(watch.problem(at: 1_000_000 + Self.day)?.level == 1)
        #expect(watch.problem(at: 1_000_000 + Self.day)?.report.cause == "the disk is full")
        #expect(watch.problem(at: 1_000_000 + 3 * Self.day)?.level == 2)
        // A machine that was off for a week gets a day first.
        watch.record.succeeded(1_000_000 + Self.day)
        watch.since = 1_000_000 + 8 * Self.day
        #expect(watch.problem(at: watch.since + 3600) == nil)
        watch.schedule = .off
        #expect(watch.problem(at: 1_000_000 + 90 * Self.day) == nil)
    }
}
