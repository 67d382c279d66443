import Appliance
import ArgumentParser
import Glibc

struct StatusCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "What runs, since when, how healthy, which certificate, what is wrong.",
        discussion: """
            Exit status: 0 when everything serves, 1 when something does not, 75 while it is still starting.

            --watch shows it live, also while snikket is being restarted, until q or Ctrl-C. Into a pipe it prints one report after the \
            other; with --json, each on a line.

            --login also has somebody log in, with an account that is made for it and removed again; when that does not work, the exit status is 1.
            """)

    @OptionGroup var common: CommonOptions

    @Flag(help: "Print JSON, for scripts.")
    var json = false

    @Flag(help: "Show it live.")
    var watch = false

    @Flag(help: "Also log in, with an account that is there for that moment only.")
    var login = false

    func validate() throws {
        if watch, login { throw ValidationError("--watch and --login cannot be given together.") }
    }

    func execute() async throws {
        let client = ControlClient(try common.locations())
        let terminal = Terminal.standardOutput
        if watch { return try await StatusWatch(client: client, terminal: terminal, isJSON: json).run() }
        let report = try await client.status()
        if json {
            terminal.print(String(decoding: try report.json(pretty: terminal.isInteractive), as: UTF8.self))
        } else {
            terminal.print(StatusTable(report, now: time(nil), colour: terminal.hasColour).text)
        }
        switch report.phase {
        case .starting: throw ExitCode(Failure.Code.tryAgainLater.rawValue)
        case .running where report.healthy:
            if login { try await client.tryLogin() }
        case .running, .stopping: throw ExitCode(Failure.Code.failed.rawValue)
        }
    }
}
