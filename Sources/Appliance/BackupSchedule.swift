import Lifecycle
public import Settings

extension Settings {
    /// Where this appliance's backups lie.
    public func backupFolder(in locations: Locations) -> String { backups.directory ?? locations.state + "/backups" }

    /// Whether a backup is to be made now by itself.
    ///
    /// Whoever asks does so once an hour or more often. With quiet hours it is made in the last of them before it would be due, and outside of them when
    /// half a day has gone by all the same: the machine may be off at night.
    ///
    /// - Parameter now: seconds since 1970.
    public func isBackupDue(in locations: Locations, now: Int) -> Bool {
        guard let interval = backups.schedule.interval else { return false }
        let next = BackupFolder(backupFolder(in: locations)).nextScheduled(domain: domain, every: interval, now: now)
        // Asked an hour later each day, it would wander through the day.
        guard let quietHours else { return next <= now + 1800 }
        return quietHours.secondsLeft(at: now).map { next <= now + $0 } ?? (next + 43_200 <= now)
    }
}
