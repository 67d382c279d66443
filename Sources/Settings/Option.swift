extension Settings {
    /// One option of snikket.conf, declared once: the parser, the validation, `snikket config` and the reference page
    /// all come from this.
    public struct Option: Sendable {
        /// The name in snikket.conf.
        public let name: String
        /// What kind of value it takes, in a word or two.
        public let type: String
        /// Which values are possible; nil when the type says it all.
        public let bounds: String?
        /// What holds when it is not set.
        public let fallback: Fallback
        /// Where it belongs on the reference page.
        public let section: Section
        /// When it takes effect.
        public let effect: Effect
        /// What it is for: one sentence for people.
        public let summary: String
        /// Whether its value must not be shown.
        public let isSecret: Bool
        /// Checks a value, puts it where it belongs, and returns its usual form.
        let accept: @Sendable (inout Draft, String) throws(Problem.Kind) -> String

        /// What holds when an option is not set.
        public enum Fallback: Sendable {
            /// It has to be set.
            case required
            /// A value, as it would stand in the file.
            case value(String)
            /// Nothing; what that means, in words.
            case none(String)
            /// A value that follows from others; how, in words.
            case derived(String, @Sendable (Settings) -> String)
        }

        /// When an option takes effect.
        public enum Effect: Sendable, Equatable {
            /// It does.
            case now
            /// Not in this version; what it waits for, in words.
            case later(String)
            /// It never will; why, in words.
            case meaningless(String)
        }

        /// The sections of the reference page.
        public enum Section: String, Sendable, CaseIterable {
            case basic = "The two answers"
            case people = "What people see"
            case storage = "What is kept"
            case backups = "Backups"
            case upgrades = "Upgrades"
            case certificates = "Certificates"
            case servers = "The servers"
            case ports = "Addresses and ports"
            case calls = "Calls"
            case containers = "Containers"
            case portal = "Web portal"
            case hosting = "Hosting panels"
            case other = "Of the Docker-based Snikket"
        }

        /// An option whose value goes into the settings.
        init<Value>(
            _ name: String, _ kind: ValueKind<Value>, _ fallback: Fallback, _ section: Section,
            into place: any WritableKeyPath<Draft, Value> & Sendable, effect: Effect = .now, secret: Bool = false, _ summary: String
        ) {
            self.init(name, kind, fallback, section, effect: effect, secret: secret, summary) { draft, value in
                draft[keyPath: place] = value
            }
        }

        /// An option that takes no effect: its value is checked and forgotten.
        init<Value>(
            _ name: String, _ kind: ValueKind<Value>, _ fallback: Fallback, _ section: Section,
            effect: Effect, secret: Bool = false, _ summary: String
        ) {
            self.init(name, kind, fallback, section, effect: effect, secret: secret, summary) { _, _ in }
        }

        /// An option whose value may be missing from the settings.
        init<Value>(
            _ name: String, _ kind: ValueKind<Value>, _ fallback: Fallback, _ section: Section,
            into place: any WritableKeyPath<Draft, Value?> & Sendable, effect: Effect = .now, secret: Bool = false, _ summary: String
        ) {
            self.init(name, kind, fallback, section, effect: effect, secret: secret, summary) { draft, value in
                draft[keyPath: place] = value
            }
        }

        private init<Value>(
            _ name: String, _ kind: ValueKind<Value>, _ fallback: Fallback, _ section: Section,
            effect: Effect, secret: Bool, _ summary: String, store: @escaping @Sendable (inout Draft, Value) -> Void
        ) {
            self.name = name
            self.type = kind.name
            self.bounds = kind.bounds
            self.fallback = fallback
            self.section = section
            self.effect = effect
            self.summary = summary
            self.isSecret = secret
            self.accept = { (draft, text) throws(Problem.Kind) in
                let value = try kind.read(text)
                store(&draft, value)
                return value.plain
            }
        }
    }
}

extension Settings.Option {
    /// Checks a single value.
    ///
    /// - Throws: what is wrong with it; an empty one is missing.
    public func check(_ value: String) throws(Problem.Kind) {
        guard !value.isEmpty else { throw .missing }
        if let control = value.unicodeScalars.first(where: \.isControl) { throw .controlCharacter(control.value) }
        var draft = Draft()
        _ = try accept(&draft, value)
    }

    /// The line of a settings file that sets this option, in quotes where it has to be.
    ///
    /// - Parameter value: a value without control characters.
    public func line(setting value: String) -> String { ConfigurationFile.line(setting: name, to: value) }
}

extension Settings {
    /// What holds for an option, in its usual form: what was set, or the default; nil when there is neither.
    public func value(of option: Option) -> String? {
        if let given = given[option.name] { return given }
        return switch option.fallback {
        case .required, .none: nil
        case .value(let value): value
        case .derived(_, let value): value(self)
        }
    }
}
