extension Settings {
    /// Reads and validates a settings file.
    ///
    /// - Parameters:
    ///   - text: what is in the file.
    ///   - file: its path, for the error.
    ///   - overrides: options from the command line, which replace the file's.
    /// - Throws: every problem at once.
    public init(
        parsing text: String, file: String, overrides: [(name: String, value: String)] = []
    ) throws(SettingsError) {
        var reading = Reading(ConfigurationFile(parsing: text))
        reading.override(with: overrides)
        let settings = reading.settings()
        let problems = reading.sortedProblems
        guard problems.isEmpty else { throw SettingsError(file: file, problems: problems, overridden: Set(overrides.map(\.name))) }
        self = settings
    }

    /// What is needed to send an e-mail, from a settings file that may be wrong anywhere else; nil when that is wrong too.
    public init?(salvagedFrom text: String) {
        let file = ConfigurationFile(parsing: text)
        let mail = ["SNIKKET_SMTP_URL", "SNIKKET_ADMIN_EMAIL"]
        // The names are only for the mail's subject.
        for wanted in [mail + ["SNIKKET_DOMAIN", "SNIKKET_SITE_NAME"], mail] {
            var excerpt = file
            excerpt.problems = []
            excerpt.assignments.removeAll { !wanted.contains($0.name) }
            var reading = Reading(excerpt)
            if wanted == mail { reading.override(with: [("SNIKKET_DOMAIN", "snikket.invalid")]) }
            let settings = reading.settings()
            guard reading.sortedProblems.isEmpty else { continue }
            self = settings
            return
        }
        return nil
    }

    /// The settings of `snikket try`: a service on this computer that nobody else can reach, with its own certificate authority.
    ///
    /// - Parameter firstPort: the lowest of ``trialPortCount`` free ports in a row.
    public static func forTrial(firstPort: Int) -> Settings {
        var draft = Draft.ofDefaults
        draft.settings.domain = "localhost"
        draft.settings.adminEmail = "admin@localhost"
        draft.settings.ports = Ports(from: firstPort)
        draft.settings.listenAddresses = ["127.0.0.1"]
        draft.settings.ipv6 = false
        draft.settings.federation = false
        draft.settings.turn.minimumRelayPort = firstPort + Ports.blockSize
        draft.settings.turn.maximumRelayPort = firstPort + trialPortCount - 1
        draft.certificate = .internal
        draft.derive()
        return draft.finished
    }

    /// How many ports ``forTrial(firstPort:)`` uses: the servers' own, and a few for calls.
    public static var trialPortCount: Int { Ports.blockSize + 32 }
}

extension Draft {
    /// Every option at its default; what is required is empty.
    static var ofDefaults: Draft {
        var draft = Draft()
        for option in Settings.Option.all {
            if case .value(let text) = option.fallback { draft.takeDefault(text, of: option) }
        }
        return draft
    }

    /// Works out the defaults that follow from other options, except of those that were set.
    mutating func derive(except given: Set<String> = []) {
        for option in Settings.Option.all where !given.contains(option.name) {
            if case .derived(_, let text) = option.fallback { takeDefault(text(settings), of: option) }
        }
    }

    private mutating func takeDefault(_ text: String, of option: Settings.Option) {
        // A default follows from a checked value or is one of the declaration's own, which a test reads: one that is
        // refused all the same belongs to a required option that is wrong, and is then reported as that.
        _ = try? option.accept(&self, text)
    }

    /// The settings, with the pieces put together.
    var finished: Settings {
        var settings = settings
        settings.certificates =
            switch certificate {
            case .acme: .acme(authorities)
            case .files: .files(fullChain: fullChain ?? "", privateKey: privateKey ?? "")
            case .internal: .internalAuthority
            }
        settings.challenge = wholeChallenge
        settings.metricsListen = metricsListen
        settings.webTLS = webProtocols != .http
        return settings
    }
}
