import Appliance
import ArgumentParser
import Glibc
import Lifecycle
import ServerConfigs
import Settings

/// `snikket upgrade continue`: what snikket-upgrade.service runs.
struct UpgradeContinue: Command {
    static let configuration = CommandConfiguration(
        commandName: "continue", abstract: "Do the steps of an upgrade, from where they were left.", shouldDisplay: false)

    @OptionGroup var common: CommonOptions

    func execute() async throws {
        let locations = try common.locations()
        let places = UpgradePlaces(state: locations.state, settings: locations.configuration)
        let runner = UpgradeRunner(
            places, say: { Terminal.standardOutput.print($0.words) },
            explain: { error in
                let failure = Failure(describing: error)
                return [failure.error, failure.cause].compactMap { $0 }.joined(separator: ": ")
            })
        try await runner.run()
    }
}

/// `snikket upgrade rehearse`: what the version before asks of this one before it lets it in. Every version has it, with these options.
struct UpgradeRehearse: Command {
    static let configuration = CommandConfiguration(
        commandName: "rehearse", abstract: "Would this version work with these settings and this state? Nothing is changed.", shouldDisplay: false)

    @OptionGroup var common: CommonOptions

    @Option(help: ArgumentHelp("A folder for copies, which must not be there.", valueName: "dir"))
    var scratch: String

    func execute() async throws {
        let locations = try common.locations(needingTemplates: true)
        let settings = try readSettings(locations)
        try StateVersion(of: locations.state).rehearse(in: absolutePath(scratch))
        // A state that has no secrets yet has never been used, and nothing can be wrong with it.
        guard let secrets = try? Secrets.load(from: locations) else { return }
        let facts = ServerFacts(settings: settings, locations: locations, secrets: secrets, hasIPv6: ServerFacts.machineHasIPv6())
        let accounts = geteuid() == 0 ? try Accounts.installed() : .own
        try await Acceptance(facts: facts, programs: try .installed(), account: { accounts[$0] }).check(try facts.files())
    }
}
