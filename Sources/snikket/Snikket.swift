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
            CheckCommand.self,
            UpCommand.self,
            TryCommand.self,
            RenderCommand.self,
            ReloadCommand.self,
            StatusCommand.self,
            LogsCommand.self,
            InviteCommand.self,
            UserCommand.self,
            CertificateCommand.self,
            BackupCommand.self,
            RestoreCommand.self,
            UpgradeCommand.self,
            RollbackCommand.self,
            ConfigCommand.self,
            PortalCommand.self,
            ServeCommand.self,
            HealthCommand.self,
            TellFailureCommand.self,
        ])

    /// Wrong usage is an error like every other; help and version are no errors.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            // A command that failed has said so itself.
            guard !(error is ExitCode), exitCode(for: error) == .validationFailure else { exit(withError: error) }
            exit(withError: Failure(usage: message(for: error), of: Array(CommandLine.arguments.dropFirst())).report())
        }
    }
}
