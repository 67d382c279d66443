import ArgumentParser

/// `--set KEY=VALUE`: settings for this run only, above those in snikket.conf.
struct SettingOverrides: ParsableArguments {
    @Option(name: .customLong("set"), help: ArgumentHelp("A setting for this run only; may be repeated.", valueName: "KEY=VALUE"))
    var assignments: [String] = []

    /// Name and value of each.
    var values: [(name: String, value: String)] {
        assignments.map { text in
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
        }
    }

    func validate() throws {
        for text in assignments where !text.contains("=") { throw ValidationError("--set takes KEY=VALUE, not '\(text)'") }
    }
}
