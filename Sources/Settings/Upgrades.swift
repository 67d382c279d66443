extension Settings {
    /// Upgrades of this program.
    public struct Upgrades: Sendable, Equatable {
        /// Which ones come by themselves.
        public var automatic: AutomaticUpgrades
        /// Where releases are looked for, instead of where the package came from: an address or a folder.
        public var releases: String?

        public init(automatic: AutomaticUpgrades, releases: String? = nil) {
            (self.automatic, self.releases) = (automatic, releases)
        }

        /// The options' names.
        static let options = Option.upgrades.map(\.name)
    }

    /// Which upgrades come by themselves.
    public enum AutomaticUpgrades: String, Sendable, CaseIterable {
        /// Those that mend a security problem of what is installed.
        case security
        case all
        case no
    }
}

extension Settings.AutomaticUpgrades: OptionValue {}

extension ValueKind where Value == String {
    /// Where a release lies.
    static var releasePlace: Self {
        let schemes = ["https", "http"]
        return Self(name: "web address or path", bounds: "begins with https://, http:// or /") { text throws(Problem.Kind) in
            guard !text.hasPrefix("/") else { return text }
            do throws(Problem.URIProblem) { return try WebAddress.checked(text, schemes: schemes) } catch {
                throw .notAURI(text, schemes: schemes, error)
            }
        }
    }
}

extension Settings.Option {
    static let upgrades: [Self] = [
        Self(
            "SNIKKET_UPGRADES", .choice, .value("security"), .upgrades, into: \.settings.upgrades.automatic,
            "Which upgrades of this program come by themselves: security, those that mend a security problem; all; or no. Each makes a backup first, and is taken back by itself when not everything serves afterwards."
        ),
        Self(
            "SNIKKET_RELEASES", .releasePlace, .none("where the package came from"), .upgrades, into: \.settings.upgrades.releases,
            "Where releases are looked for: the address or the folder of a mirror. They have to be signed by the same key."),
    ]
}
