import Appliance
import ArgumentParser
import Glibc
import Preflight
import Settings

/// `snikket check`
struct CheckCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Is the world ready? DNS, ports, firewall, clock, disk, certificate: a line each, with what to do.",
        discussion: """
            Nothing is changed, and it takes seconds. Green is as it has to be; yellow may do, or cannot be told from here; red will not \
            work like this. Exit status: 0 without red, 1 with it, 78 when the settings are wrong.

            When snikket.conf has changed since the running snikket read it, it shows afterwards what that changes, and asks whether to put it into \
            force now.
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var overrides: SettingOverrides

    @Option(help: ArgumentHelp("As if all ports were at this one and above.", valueName: "port"))
    var portsFrom: Int?

    @Option(
        name: .customLong("resolver"),
        help: ArgumentHelp("Ask this DNS server instead of this machine's; may be repeated.", valueName: "addr[:port]"))
    var resolvers: [String] = []

    @Flag(help: "Print one JSON object.")
    var json = false

    @Flag(inversion: .prefixedNo, exclusivity: .chooseLast, help: "Put changed settings into force without asking; or never.")
    var reload: Bool?

    func validate() throws {
        for text in resolvers where IPAddress.endpoint(text, port: 53) == nil { throw ValidationError("'\(text)' is no address of a DNS server.") }
    }

    func execute() async throws {
        let terminal = Terminal.standardOutput
        let locations = try common.locations()
        let settings = try settings(locations)
        let (appliance, silence) = try await running(locations)
        let preflight = Preflight(
            settings: settings, locations: locations, resolvers: resolvers.compactMap { IPAddress.endpoint($0, port: 53) },
            running: appliance.map { RunningAppliance($0.report) })
        let findings = silence + (await preflight.findings())
        let isRed = findings.verdict == .red
        if json {
            var report = CheckReport(findings)
            // Whatever becomes of the reload, the report is there.
            defer { if let text = try? jsonText(report) { terminal.print(text) } }
            if let appliance, !isRed, reload == true, appliance.report.settingsChanged {
                report.reload = try await appliance.client.reload(isDry: false)
            }
        } else {
            terminal.print(CheckTable(findings, width: terminal.width, colour: terminal.hasColour).text)
            if let appliance, !isRed, appliance.report.settingsChanged { try await offerReload(appliance.client) }
        }
        if isRed { throw ExitCode(Failure.Code.failed.rawValue) }
    }

    /// Wrong settings are reported as everywhere; a script gets them as JSON as well.
    private func settings(_ locations: Locations) throws -> Settings {
        do {
            let ports = try portsFrom.map { Ports(from: try checkedFirstPort($0)).options } ?? []
            return try readSettings(locations, overrides: ports + overrides.values)
        } catch {
            let failure = Failure(describing: error)
            if json, failure.code == .configuration { Terminal.standardOutput.print(try jsonText(CheckReport(wrongSettings: failure))) }
            throw failure
        }
    }

    /// What runs here, as far as it lets us ask.
    private func running(_ locations: Locations) async throws -> ((client: ControlClient, report: StatusReport)?, [Finding]) {
        do {
            return (try await runningAppliance(locations), [])
        } catch ApplianceError.notPermitted {
            // What it has is seen as somebody else's then, and that sudo would tell is said there.
            return (nil, [])
        } catch ApplianceError.noAnswer {
            return (nil, [Finding(.settings, .red, "a snikket runs here, and does not answer", try: "systemctl restart snikket")])
        }
    }

    /// Shows what changed settings change; puts them into force when that is wished.
    private func offerReload(_ client: ControlClient) async throws {
        let terminal = Terminal.standardOutput
        guard reload != false, reload == true || (terminal.isInteractive && isatty(STDIN_FILENO) == 1) else { return }
        let look = try await client.reload(isDry: true)
        terminal.print("\nWith the changed settings (\(look.options.joined(separator: ", "))):\n")
        terminal.print(look.difference.isEmpty ? "no server's file changes" : look.difference)
        guard reload == true || isWished() else { return terminal.print("not now; `sudo snikket reload` does it later") }
        let done = try await client.reload(isDry: false)
        terminal.print(done.services.isEmpty ? "in force" : "in force, with \(done.services.joined(separator: ", ")) told of it")
    }

    private func isWished() -> Bool {
        print("Put them into force now? (yes/no) ", terminator: "")
        fflush(nil)
        return ["y", "yes"].contains(readLine()?.lowercased() ?? "")
    }
}

extension RunningAppliance {
    /// As the status report has it.
    fileprivate init(_ report: StatusReport) {
        // Each server leads a process group of its own.
        self.init(
            groups: Set(report.services.compactMap(\.pid)), isServing: report.phase == .running, hasChangedSettings: report.settingsChanged)
    }
}
