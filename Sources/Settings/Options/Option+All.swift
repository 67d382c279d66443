extension Settings.Option {
    /// Every option there is, in the order of the reference page. An option whose default follows from others may stand
    /// before them: those are worked out last.
    public static let all: [Self] =
        basic + people + storage + backups + upgrades + certificates + servers + ports + calls + containers + portal + hosting
        + official

    /// The option of this name.
    public static func named(_ name: String) -> Self? { byName[name] }

    private static let byName = Dictionary(all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
}
