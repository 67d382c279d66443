import Appliance
import ArgumentParser
import DurableFiles
import Glibc
import Lifecycle
import Settings
import Supervision

/// `snikket restore`
struct RestoreCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Put a backup in the place of the present state and settings.",
        discussion: """
            The backup is read to its end and unpacked beside the present state first; then it says what it would do, and asks. The old state \
            goes into a folder of its own, and comes back by itself when something fails. `snikket up` must not run, or --stop has to be given.

            After an interruption, even by a power cut, run it again: it finishes what it had begun to put in place, or begins anew.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The backup.")
    var file: String

    @OptionGroup var opening: OpeningOptions

    @Flag(help: "Stop the service while things are put in place, and start it afterwards.")
    var stop = false

    @Flag(name: [.short, .long], help: "Do not ask.")
    var yes = false

    func execute() async throws {
        do { try restore() } catch BackupError.running(let state) where stop {
            throw Failure(
                error: "snikket is running, and not as the service that --stop stops",
                cause: "a restore would pull \(state) away from under it",
                tryThis: "stop it where it was started: with Ctrl-C, or `docker compose down`")
        }
    }

    private func restore() throws {
        Interruption.hold()
        let locations = try common.locations()
        let path = absolutePath(file)
        // An interrupted restore is finished without it, too.
        if !Restorer.isUnfinished(state: locations.state) { try Restorer.look(at: path) }
        let restorer = Restorer(
            file: path, opening: opening.opening, state: locations.state, configuration: locations.configuration,
            owners: try stateOwners(of: locations, isStrict: true),
            backups: (try? readSettings(locations))?.backupFolder(in: locations) ?? locations.state + "/backups")
        let isForContainers = ContainerGround.isIn(state: locations.state)
        let unit = stop ? SystemUnit(name: "snikket.service") : nil
        if try restorer.isRunning(), unit?.isActive != true { throw BackupError.running(state: locations.state) }
        if let isSame = try restorer.finishInterrupted() {
            say(
                isSame ? "the interrupted restore of \(path) has been finished: it is in place" : "an interrupted restore has been brought to its end"
            )
            if isSame { return }
        }
        say("reading \(path); nothing is changed yet")
        let now = time(nil)
        let line = ProgressLine("reading")
        defer { line.clear() }
        let preview = try restorer.prepare(now: now) { line.show($0, of: $1) }
        line.clear()
        show(preview, locations)
        do { try confirm() } catch {
            restorer.abandon()
            throw error
        }
        let isStarted = try putInPlace(restorer, unit)
        say("\(unobeyed(preview.contents.about.domain)) is as it was at \(localTime(preview.contents.about.created))")
        if !preview.leaving.isEmpty { say("the old state is in \(preview.aside): remove it when all is well") }
        if unit == nil { say(isForContainers ? "now: snikket render, as before, and start the containers" : "start it: systemctl start snikket") }
        try isStarted.get()
    }

    /// - Returns: whether the service could be started again.
    private func putInPlace(_ restorer: Restorer, _ unit: SystemUnit?) throws -> Result<Void, any Error> {
        guard let unit, unit.isActive else {
            defer { restorer.letGo() }
            try restorer.putInPlace()
            return .success(())
        }
        do {
            try unit.stop()
            try Interruption.check()
        } catch {
            restorer.abandon()
            restorer.letGo()
            // It may have stopped all the same, or be about to.
            try? unit.start()
            throw error
        }
        let result = Result { try restorer.putInPlace() }
        restorer.letGo()
        let isStarted = Result { try unit.start() }
        // What became of the restore comes first.
        try result.get()
        return isStarted
    }

    private func show(_ preview: Restorer.Preview, _ locations: Locations) {
        say("this backup is good:")
        say(contentsText(preview.contents))
        say("what will be done:")
        if preview.leaving.isEmpty {
            say("  there is no state in \(locations.state): it is put there")
        } else {
            say("  the present state goes from \(locations.state) to \(preview.aside), and the backup's takes its place")
        }
        for path in preview.changedSettings {
            say("  \(path) is written\(access(path, F_OK) == 0 ? "; the present one is kept beside it" : "")")
        }
    }

    private func confirm() throws {
        guard !yes else { return }
        guard isatty(STDIN_FILENO) == 1 else {
            throw Failure(
                error: "nothing is restored without being asked", cause: "there is no terminal to ask on", tryThis: "pass --yes", code: .usage)
        }
        print("Do it? [y/N] ", terminator: "")
        fflush(nil)
        try Interruption.wait(for: STDIN_FILENO)
        guard let answer = readLine(), ["y", "yes"].contains(answer.lowercased()) else {
            throw Failure.declined
        }
    }

    private func say(_ line: String) { Terminal.standardOutput.print(line) }
}
