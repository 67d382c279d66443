import Appliance
import ArgumentParser
import Glibc

struct StatusCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "What runs, since when, how healthy, which certificate.",
        discussion: """
            Exit status: 0 when everything serves, 1 when something does not, 75 while it is still starting.

            --watch repeats the table every two seconds, until Ctrl-C.
            """)

    @OptionGroup var common: CommonOptions

    @Flag(help: "Print JSON, for scripts.")
    var json = false

    @Flag(help: "Show the table again every two seconds.")
    var watch = false

    func execute() async throws {
        let client = ControlClient(try common.locations())
        let terminal = Terminal.standardOutput
        while watch {
            let report = try await client.status()
            terminal.clear()
            terminal.print(StatusTable(report, now: now(), colour: terminal.hasColour).text)
            try await Task.sleep(for: .seconds(2))
        }
        let report = try await client.status()
        if json {
            terminal.print(String(decoding: try report.json(pretty: terminal.isInteractive), as: UTF8.self))
        } else {
            terminal.print(StatusTable(report, now: now(), colour: terminal.hasColour).text)
        }
        switch report.phase {
        case .starting: throw ExitCode(Failure.Code.tryAgainLater.rawValue)
        case .running where report.healthy: return
        case .running, .stopping: throw ExitCode(Failure.Code.failed.rawValue)
        }
    }

    private func now() -> Int { time(nil) }
}
