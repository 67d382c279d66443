extension Settings.Option {
    /// Whether a running appliance takes it over with `snikket reload`; otherwise everything has to be started again.
    public var isReloadable: Bool { Settings.reloadable.contains(name) }

    /// When a changed one takes effect, in words.
    public var momentOfEffect: String { isReloadable ? "after `snikket reload`" : "after a restart" }
}

extension Settings {
    /// The options that a running appliance takes over without being started again: they are in the servers' files and nowhere else.
    fileprivate static let reloadable: Set<String> = [
        "SNIKKET_SITE_NAME", "SNIKKET_ABUSE_EMAIL", "SNIKKET_SECURITY_EMAIL", "SNIKKET_TOS_URI", "SNIKKET_PRIVACY_URI", "SNIKKET_INVITE_URL",
        "SNIKKET_RETENTION_DAYS", "SNIKKET_UPLOAD_STORAGE_GB", "SNIKKET_DAILY_UPLOAD_LIMIT_PER_USER_GB", "SNIKKET_UPLOAD_LIMIT_MB",
        "SNIKKET_LOGLEVEL", "SNIKKET_TLS_PROFILE", "SNIKKET_MAX_USER_CLIENTS", "SNIKKET_UPDATE_CHECK", "SNIKKET_QUIET_HOURS",
        "SNIKKET_BACKUP_SCHEDULE", "SNIKKET_BACKUP_KEEP", "SNIKKET_BACKUP_DIRECTORY", "SNIKKET_BACKUP_COMMAND", "SNIKKET_BACKUP_RECIPIENT",
        "SNIKKET_UPGRADES", "SNIKKET_RELEASES",
    ]

    /// The options that are set otherwise than in these settings and take effect only when the appliance is started again, by name.
    public func optionsNeedingRestart(since old: Settings) -> [String] {
        Option.all.filter { option in
            option.effect == .now && !option.isReloadable && value(of: option) != old.value(of: option)
        }.map(\.name).sorted()
    }

    /// The options that are set otherwise than in these settings, by name.
    public func optionsChanged(since old: Settings) -> [String] {
        Option.all.filter { $0.effect == .now && value(of: $0) != old.value(of: $0) }.map(\.name).sorted()
    }
}
