import Appliance
import Glibc
import Lifecycle
import Settings

extension BackupCreate {
    /// Makes a backup when the settings want one now, hands it on, and removes the oldest. What comes of it is left for `snikket up` to tell.
    func makeIfDue(_ settings: Settings, _ locations: Locations) async throws {
        var record = BackupRecord(state: locations.state)
        let isDue = settings.isBackupDue(in: locations, now: time(nil))
        guard settings.backups.schedule != .off, isDue || record.waiting != nil else {
            // A timer asks every hour: its journal need not hear of it.
            if Terminal.standardOutput.isInteractive { print("no backup is due") }
            return
        }
        var file = isDue ? nil : record.waiting
        let folder = BackupFolder(settings.backupFolder(in: locations))
        do {
            let begun = time(nil)
            if file == nil || access(file ?? "", F_OK) != 0 { file = try await make(settings, locations).file }
            if let file, let command = settings.backups.command {
                // Before it is handed on: whoever is killed meanwhile tries again.
                record.waiting = file
                try record.write(state: locations.state)
                try BackupCarrier(program: command).carry(file)
            }
            try folder.prune(domain: settings.domain, keeping: settings.backups.keep)
            record.succeeded(folder.items().first { $0.file == file }?.created ?? begun)
        } catch let error where Self.isFailure(error) {
            let failure = Failure(describing: error)
            record.failed([failure.error, failure.cause].compactMap(\.self).joined(separator: ": "), waiting: file)
            // Those that could not be handed on are kept twice as long, and not for ever: the disk is not theirs.
            try? folder.prune(domain: settings.domain, keeping: 2 * settings.backups.keep)
            // On a full disk there may be no record either: that none is made is told all the same.
            try? record.write(state: locations.state)
            throw error
        }
        try record.write(state: locations.state)
    }

    /// Told to stop, or to wait for another backup, it did not fail: it is tried again within the hour.
    private static func isFailure(_ error: any Error) -> Bool {
        switch error as? BackupError {
        case .interrupted, .busy: false
        default: true
        }
    }
}
