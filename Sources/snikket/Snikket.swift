import Appliance
import ArgumentParser

@main
struct Snikket: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snikket",
        abstract: "A private chat service for family and friends.",
        version: Version.current,
        subcommands: [
            InitCommand.self,
            UpCommand.self,
            TryCommand.self,
            RenderCommand.self,
            StatusCommand.self,
            LogsCommand.self,
            InviteCommand.self,
            UserCommand.self,
            ConfigCommand.self,
            PortalCommand.self,
        ])
}
