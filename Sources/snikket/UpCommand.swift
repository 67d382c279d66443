import Appliance
import ArgumentParser
import Glibc
import Preflight
import Settings
import Supervision

struct UpCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Render, certify, start, watch; stays in the foreground.",
        discussion: """
            Prints `ready https://...` when everything serves, and, while there is no administrator, `invitation https://...` with the \
            link that makes the first one. Ends in order on SIGTERM and Ctrl-C.

            Started by root, every server runs as a user of its own (snikket-prosody, snikket-nginx...); started by anybody else, \
            everything runs as that person. Root itself gives up what it does not need for that, for good: it reads its own files, and \
            nobody else's.
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var overrides: SettingOverrides

    @Option(help: ArgumentHelp("Put all ports at this one and above.", valueName: "port"))
    var portsFrom: Int?

    func execute() async throws {
        Privileges.keepOnlyNeeded()
        let locations = try common.locations(needingTemplates: true)
        let ports = try portsFrom.map { Ports(from: try checkedFirstPort($0)).options } ?? []
        let source = settingsSource(locations, overrides: ports + overrides.values)
        let settings = try source.read()
        let accounts = geteuid() == 0 ? try Accounts.installed() : .own
        let relay = RelayAddress(settings: settings)
        try await Up(
            settings: settings, from: source, locations: locations, programs: try programFolder(), accounts: accounts,
            findRelayAddress: { await relay.find() }
        ).start()
    }
}
