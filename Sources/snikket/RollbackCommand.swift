import ArgumentParser
import Glibc
import Lifecycle
import Settings

/// `snikket rollback`
struct RollbackCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Go back to the version before the last upgrade.",
        discussion: """
            The package of that version is put back, and the files of the state that the upgrade has changed, as they were then: it says which. Messages, \
            accounts and uploads stay unless they are named. A backup is made first.
            """)

    @OptionGroup var common: CommonOptions

    @Flag(help: "Make no backup first.")
    var noBackup = false

    @Flag(name: [.short, .long], help: "Do not ask.")
    var yes = false

    func execute() async throws {
        let locations = try common.locations()
        let places = UpgradePlaces(state: locations.state, settings: locations.configuration)
        let preparation = UpgradePreparation(places)
        if let record = try preparation.record(), !record.step.isEnd { throw UpgradeError.underWay }
        let record = try await preparation.prepareRollback(makesBackup: !noBackup, now: time(nil))
        let terminal = Terminal.standardOutput
        terminal.print("back from snikket \(record.new.version) to \(record.old.version)")
        terminal.print(record.plan.map { "  " + $0 }.joined(separator: "\n"))
        let undo = StateUndo(of: places.state)
        if try undo.leadsTo() == record.stateVersion {
            for path in undo.paths() { terminal.print("  \(places.state)/\(path) becomes what it was before the upgrade") }
        }
        try confirm(yes, "taken back")
        try await preparation.begin(record)
        try await UpgradeFollowing(places).end()
    }
}
