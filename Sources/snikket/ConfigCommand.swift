import ArgumentParser

/// What can be set, and what is.
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Show the settings, and what can be set.",
        subcommands: [ConfigListCommand.self, ConfigShowCommand.self, ConfigExplainCommand.self])
}

extension CommonOptions {
    /// The settings file. These commands work without templates, and so without the rest of the locations.
    var configurationFile: String { absolutePath(config) }
}
