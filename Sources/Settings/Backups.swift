extension Settings {
    /// Backups that are made by themselves.
    public struct Backups: Sendable, Equatable {
        public var schedule: BackupSchedule
        /// How many of them are kept.
        public var keep: Int
        /// Where they lie; nil: in the state directory.
        public var directory: String?
        /// The program that is given each file's path; nil when there is none.
        public var command: String?
        /// Who they are encrypted to (age); empty when they are not.
        public var recipients: [String]

        public init(schedule: BackupSchedule, keep: Int, directory: String? = nil, command: String? = nil, recipients: [String] = []) {
            (self.schedule, self.keep, self.directory, self.command, self.recipients) = (schedule, keep, directory, command, recipients)
        }

        /// The options' names.
        public static let options = Option.backups.map(\.name)
    }

    /// How often a backup is made.
    public enum BackupSchedule: String, Sendable, CaseIterable {
        case off, daily, weekly

        /// Seconds from one to the next; nil: none is made.
        public var interval: Int? {
            switch self {
            case .off: nil
            case .daily: 86_400
            case .weekly: 7 * 86_400
            }
        }
    }
}

extension Settings.BackupSchedule: OptionValue {}

extension ValueKind where Value == [String] {
    /// age's recipients, as `age-keygen` prints them, separated by commas or spaces.
    static var recipients: Self {
        Self(name: "age recipients", bounds: "begin with age1, separated by commas or spaces") { text throws(Problem.Kind) in
            let recipients = text.split { $0 == "," || $0 == " " }.map(String.init)
            for recipient in recipients {
                // Bech32 (BIP 173): 32 bytes are 52 characters, and six more are their sum.
                let isOne = recipient.hasPrefix("age1") && recipient.utf8.count == 62
                guard isOne, recipient.utf8.dropFirst(4).allSatisfy({ Set("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8).contains($0) }) else {
                    throw .notARecipient(recipient)
                }
            }
            guard !recipients.isEmpty else { throw .missing }
            return recipients
        }
    }
}

extension Settings.Option {
    static let backups: [Self] = [
        Self(
            "SNIKKET_BACKUP_SCHEDULE", .choice, .value("off"), .backups, into: \.settings.backups.schedule,
            "How often a backup is made by itself: off, daily or weekly."),
        Self(
            "SNIKKET_BACKUP_KEEP", .whole(1...1000, unit: "backups"), .value("7"), .backups, into: \.settings.backups.keep,
            "How many of the backups that are made by themselves are kept; those that you make stay until you remove them."),
        Self(
            "SNIKKET_BACKUP_DIRECTORY", .path, .none("the folder backups in the state directory"), .backups,
            into: \.settings.backups.directory,
            "The folder for backups: below /var/backups, /srv, /mnt or /media, or named in ReadWritePaths= of snikket-backup.service."),
        Self(
            "SNIKKET_BACKUP_COMMAND", .path, .none("they stay on this machine"), .backups, into: \.settings.backups.command,
            "A program of yours that takes each scheduled backup elsewhere: it is started with the file's path, for example to call rclone, restic or scp."
        ),
        Self(
            "SNIKKET_BACKUP_RECIPIENT", .recipients, .none("backups are not encrypted"), .backups, into: \.settings.backups.recipients,
            "Whoever is able to read the backups: public keys as age-keygen prints them. Keep the secret ones elsewhere, on paper too."),
    ]
}
