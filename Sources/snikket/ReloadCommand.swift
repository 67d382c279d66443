import Appliance
import ArgumentParser

/// `snikket reload`
struct ReloadCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Put changed settings into force, without stopping what has not changed.",
        discussion: """
            Everything is rendered and shown, each file has to be accepted by its own server's checker, and only the servers whose files \
            have changed are reloaded. Whatever is refused changes nothing. A server that does not come up with its new files gets the old \
            ones back.

            What everything is built on takes effect only when everything is started again: the domain, the ports, where certificates come from, \
            federation, calls, e-mail, metrics, IPv4 and IPv6, web servers in front. `snikket config explain OPTION` says which it is.
            """)

    @OptionGroup var common: CommonOptions

    @Flag(name: [.long, .customLong("diff")], help: "Only show what would change.")
    var dryRun = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func execute() async throws {
        let terminal = Terminal.standardOutput
        let report = try await ControlClient(try common.locations()).reload(isDry: dryRun)
        if json { return terminal.print(try jsonText(report)) }
        if !report.difference.isEmpty { terminal.print(report.difference.last == "\n" ? String(report.difference.dropLast()) : report.difference) }
        guard !dryRun else {
            if report.difference.isEmpty { terminal.print("nothing would change") }
            return
        }
        terminal.print(report.services.isEmpty ? "nothing had to be done" : "in force, with \(report.services.joined(separator: ", ")) told of it")
    }
}
