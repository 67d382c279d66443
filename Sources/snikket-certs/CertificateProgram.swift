import ArgumentParser
import ProcessMemory
import SystemPackage

/// One job a run: it talks to a certificate authority or looks at certificates, prints JSON lines, and ends.
@main
struct CertificateProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snikket-certs", abstract: "Talk to a certificate authority; look at TLS endpoints.",
        subcommands: [
            Issue.self, Renewal.self, Revoke.self, AccountCommand.self, Internal.self, Inspect.self, Probe.self, Look.self, MailCommand.self,
        ])

    static func main() async {
        useOneHeap()
        releaseStartupPages()
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            // A job that failed has said so itself.
            guard !(error is ExitCode), exitCode(for: error) == .validationFailure else { exit(withError: error) }
            let message = message(for: error)
            let job = job(in: CommandLine.arguments.dropFirst())
            let text = """
                snikket-certs: error: `\((["snikket-certs"] + job).joined(separator: " "))` is not used like this
                snikket-certs: cause: \(message.prefix(1).lowercased() + message.dropFirst())
                snikket-certs: try:   \((["snikket-certs help"] + job).joined(separator: " "))

                """
            _ = try? FileDescriptor.standardError.writeAll(Array(text.utf8))
            exit(withError: ExitCode.validationFailure)
        }
    }

    /// The words of the command line that name the job: `account show`.
    private static func job(in arguments: ArraySlice<String>) -> [String] {
        var command: any ParsableCommand.Type = self
        var words: [String] = []
        for word in arguments {
            guard let next = command.configuration.subcommands.first(where: { $0.configuration.commandName == word }) else { break }
            command = next
            words.append(word)
        }
        return words
    }
}
