public import Settings

extension ContainerPlan {
    /// What was set and is done by no container: it takes somebody who sees all servers at once.
    public var notices: [Notice] {
        Self.undone.compactMap { name, reason in
            guard let value = settings.given[name], !["off", "no"].contains(value) else { return nil }
            return Notice(line: nil, option: name, reason: reason)
        }
    }

    private static let undone = [
        (
            "SNIKKET_BACKUP_SCHEDULE",
            "no container makes backups; snikket-backup.timer of this machine's package does, and tells nobody when one fails"
        ),
        ("SNIKKET_UPGRADES", "containers do not upgrade by themselves; they run the image that they are rendered for"),
        ("SNIKKET_UPDATE_CHECK", "containers tell nobody of upgrades"),
        ("SNIKKET_QUIET_HOURS", "no container is started again for an upgrade; the hours are for backups only"),
        ("SNIKKET_SMTP_URL", "containers send no e-mail"),
        ("SNIKKET_TWEAK_PROMETHEUS", "containers offer no metrics"),
        ("SNIKKET_METRICS_LISTEN", "containers offer no metrics"),
    ]
}
