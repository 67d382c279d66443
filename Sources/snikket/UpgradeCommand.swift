import Appliance
import ArgumentParser
import DurableFiles
import Glibc
import Lifecycle
import Settings

/// `snikket upgrade`
struct UpgradeCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "upgrade", abstract: "Install the newest release; taken back by itself when not everything serves afterwards.",
        discussion: """
            The release has to be signed by its makers. Then, in a unit of its own, so that a lost connection does no harm: a backup; the new version tries \
            itself with the settings and with copies of what it would change in the state; the package is installed, and the service restarted. \
            Everything has to serve within two minutes, and somebody to be able to log in: otherwise the old version and the old state come back. \
            So they do after an interruption, even by a power cut.

            `snikket rollback` goes back later. SNIKKET_UPGRADES says which upgrades come by themselves.
            """,
        subcommands: [UpgradeContinue.self, UpgradeRehearse.self])

    @OptionGroup var common: CommonOptions

    @Flag(help: "Only say what is new, and whether it is for security.")
    var check = false

    @Flag(help: "Print one JSON object; with --check.")
    var json = false

    @Option(help: ArgumentHelp("The release in this folder or at this address, instead of where the package came from.", valueName: "place"))
    var from: String?

    @Flag(help: "Make no backup first.")
    var noBackup = false

    @Flag(name: [.short, .long], help: "Do not ask.")
    var yes = false

    @Flag(help: ArgumentHelp("As the timer does: only what SNIKKET_UPGRADES allows, in the quiet hours.", visibility: .hidden))
    var unattended = false

    func validate() throws {
        if json, !check { throw ValidationError("--json is for --check.") }
        if let from, !from.hasPrefix("/"), !from.hasPrefix("https://"), !from.hasPrefix("http://"), access(from, F_OK) != 0 {
            throw ValidationError("'\(from)' is no address and no folder.")
        }
    }

    func execute() async throws {
        let locations = try common.locations()
        let places = UpgradePlaces(state: locations.state, settings: locations.configuration)
        let settings = try? readSettings(locations)
        if unattended {
            guard let settings else { return }
            return try await UnattendedUpgrade(places: places, settings: settings).run()
        }
        let preparation = UpgradePreparation(places)
        let terminal = Terminal.standardOutput
        if !check, try await follow(what: preparation, places) { return }
        let fetch = try releaseFetch(elsewhere: from.map { $0.contains("://") ? $0 : absolutePath($0) } ?? settings?.upgrades.releases)
        let look = try await preparation.look(fetch)
        if check { return terminal.print(json ? try jsonText(UpgradeLook(look)) : UpgradeLook(look).text) }
        guard look.isNew else { return terminal.print("snikket \(look.installed) is the newest") }
        let record = try await preparation.prepare(look, fetch, isUnattended: false, makesBackup: !noBackup, now: time(nil))
        terminal.print(UpgradeLook(look).text)
        terminal.print(record.plan.map { "  " + $0 }.joined(separator: "\n"))
        try confirm(yes, "upgraded")
        try await preparation.begin(record)
        try await UpgradeFollowing(places).end()
    }

    /// One that is under way is followed, whoever began it.
    private func follow(what preparation: UpgradePreparation, _ places: UpgradePlaces) async throws -> Bool {
        guard let record = try preparation.record(), !record.step.isEnd else { return false }
        Terminal.standardOutput.print("an upgrade to \(record.new.version) is under way")
        try await preparation.resume()
        try await UpgradeFollowing(places).end()
        return true
    }
}

/// Gets releases, as the user who talks to the network.
///
/// - Parameter place: another place than where the package came from.
func releaseFetch(elsewhere place: String?) throws -> ReleaseFetch {
    let folder = File.folder(of: File.folder(of: try programFolder() + "/snikket"))
    // Before the user: programs that nobody installed have neither, and this says what it is about.
    let source = try ReleaseSource(file: folder + "/share/snikket/releases", elsewhere: place)
    return ReleaseFetch(source, as: geteuid() == 0 ? try Accounts.installed().certificates : nil)
}

extension Failure {
    /// Somebody was asked, and did not say yes.
    static let declined = Failure(error: "nothing was done", cause: "the answer was not yes", tryThis: "run it again, and answer y")
}

/// Asks, unless that was answered before.
///
/// - Parameter what: is not done without being asked.
func confirm(_ isAgreed: Bool, _ what: String) throws {
    guard !isAgreed else { return }
    guard isatty(STDIN_FILENO) == 1 else {
        throw Failure(error: "nothing is \(what) without being asked", cause: "there is no terminal to ask on", tryThis: "pass --yes", code: .usage)
    }
    print("Do it? [y/N] ", terminator: "")
    fflush(nil)
    guard let answer = readLine(), ["y", "yes"].contains(answer.lowercased()) else {
        throw Failure.declined
    }
}
