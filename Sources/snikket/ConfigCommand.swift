import ArgumentParser

/// What can be set, and what is.
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Show the settings, and what can be set.",
        subcommands: [ConfigListCommand.self, ConfigShowCommand.self, ConfigExplainCommand.self])
}
