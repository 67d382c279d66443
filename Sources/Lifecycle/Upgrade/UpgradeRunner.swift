import DurableFiles
import Glibc
import Supervision

/// Does the steps of an upgrade or of going back, from wherever they were left: `snikket upgrade continue`, run by snikket-upgrade.service.
///
/// It is a copy of the program of the old version. Whatever goes wrong, and whenever it is interrupted, the end is the old version, as it was.
public struct UpgradeRunner: Sendable {
    let places: UpgradePlaces
    let package: InstalledPackage
    let service: ServiceUnit
    /// Told of every step.
    let say: @Sendable (UpgradeRecord) -> Void
    /// Words for what went wrong.
    let explain: @Sendable (any Error) -> String

    /// How long a version may take until everything serves.
    static let patience = Duration.seconds(120)
    /// How long another backup may go on before there is one for us.
    static let patienceForBackup = Duration.seconds(2 * 3_600)

    public init(_ places: UpgradePlaces, say: @escaping @Sendable (UpgradeRecord) -> Void, explain: @escaping @Sendable (any Error) -> String) {
        self.init(places, package: InstalledPackage(), say: say, explain: explain)
    }

    init(
        _ places: UpgradePlaces, package: InstalledPackage, say: @escaping @Sendable (UpgradeRecord) -> Void,
        explain: @escaping @Sendable (any Error) -> String
    ) {
        (self.places, self.package, self.say, self.explain) = (places, package, say, explain)
        service = ServiceUnit(places)
    }

    /// Returns when there is an end, whichever. What is thrown has to be tried again: by systemd, or at the next start of the machine.
    public func run() async throws(UpgradeError) {
        let lock = try await places.hold()
        defer { withExtendedLifetime(lock) {} }
        var record: UpgradeRecord?
        do throws(FileError) { record = try UpgradeRecord.read(from: places.record) } catch { throw .file(error) }
        if var unfinished = record, !unfinished.step.isEnd {
            switch unfinished.step {
            case .waiting: try await goAhead(&unfinished)
            case .backingUp, .rehearsing:
                await package.mendOthers()
                try abandon(&unfinished, "it was interrupted", isLasting: false)
            default: try await goBack(&unfinished, unfinished.isRollback ? nil : "it was interrupted")
            }
            record = unfinished
        }
        try keepWayBack(record)
        tidyUp(after: record)
    }

    private func goAhead(_ record: inout UpgradeRecord) async throws(UpgradeError) {
        do throws(UpgradeError) {
            if record.makesBackup { try await backUp(&record) }
            if record.isRollback { try await package.waitForOthers() } else { try await rehearse(&record) }
        } catch {
            // The network may come back, and a disk get room; what the new version says of these settings it would say again.
            let isLasting = if case .rehearsal = error { true } else { false }
            return try abandon(&record, explain(error), isLasting: isLasting)
        }
        // From here on something is touched: what fails is tried again, not given up.
        if record.isRollback { return try await goBack(&record, nil) }
        do throws(UpgradeError) {
            try enter(.installing, &record)
            let former = try await service.facts().process
            try await package.install(record.new.package, within: .seconds(180))
            try enter(.watching, &record)
            if record.wasRunning {
                try await service.restart(ifStill: former)
                let problem = try await service.problem(
                    everything: record.wasHealthy, former: former, within: Self.patience, isImpatient: true)
                if let problem { return try await goBack(&record, problem) }
            }
        } catch {
            return try await goBack(&record, explain(error))
        }
        try enter(.done, &record)
    }

    private func backUp(_ record: inout UpgradeRecord) async throws(UpgradeError) {
        try enter(.backingUp, &record)
        let before = Set(Folder.names(in: places.backups))
        let tool = Tool(
            places.program, "backup", "create", "--to", places.backups + "/", "--config", places.settings, "--state", places.state,
            within: .seconds(6 * 3_600))
        let end = ContinuousClock.now.advanced(by: Self.patienceForBackup)
        var output = try await tool.run()
        // 75: another backup is under way. The daily one may well come at the same minute every day.
        while output.code == 75, ContinuousClock.now < end {
            try? await Task.sleep(for: .seconds(60))
            output = try await tool.run()
        }
        guard output.succeeded else { throw .program("the backup", words: output.complaint) }
        let file = output.text.split(separator: "\n").first.map(String.init)
        // One is enough: the last state before the last upgrade.
        for name in before { unlink("\(places.backups)/\(name)") }
        record.backup = file
    }

    private func rehearse(_ record: inout UpgradeRecord) async throws(UpgradeError) {
        try enter(.rehearsing, &record)
        try await package.installDependencies(of: record.new.package)
        let folder = places.rehearsal
        Tree.remove(folder)
        defer { Tree.remove(folder) }
        do throws(FileError) { try Folder.make(folder, mode: 0o700) } catch { throw .file(error) }
        try await package.unpack(record.new.package, into: folder + "/root")
        let output = try await Tool(
            folder + "/root" + places.program, "upgrade", "rehearse", "--config", places.settings, "--state", places.state, "--scratch",
            folder + "/state", within: .seconds(300)
        ).run()
        guard output.succeeded else { throw .rehearsal(words: output.complaint) }
    }

    /// Puts the old version and its state back, and starts it.
    ///
    /// - Parameter reason: why; nil when it is wished.
    private func goBack(_ record: inout UpgradeRecord, _ reason: String?) async throws(UpgradeError) {
        // dpkg takes back by itself what it cannot unpack. The old version runs on: stopped, it could not come back while the disk is full.
        if record.step == .installing, let reason, await package.isUntouched(record.old.version) {
            return try abandon(&record, reason, isLasting: false)
        }
        record.reason = record.reason ?? reason
        try enter(.goingBack, &record)
        // Whatever runs goes on running while others install packages.
        try await package.waitForOthers()
        try await service.stop()
        try await package.install(record.old.package)
        await package.mendOthers()
        do throws(StateError) {
            let undo = StateUndo(of: places.state)
            if try undo.leadsTo() == record.stateVersion { try await putBack(undo) }
        } catch {
            throw .program("snikket", words: explain(error))
        }
        if record.wasRunning {
            try await service.start()
            let problem = try await service.problem(everything: record.wasHealthy, within: Self.patience, isImpatient: false)
            // There is nothing else to go back to: it is told, and goes on trying.
            if let problem {
                record.reason = [record.reason, "\(record.old.version) is back, and \(problem)"].compactMap { $0 }.joined(separator: "; ")
            }
        }
        try enter(.wentBack, &record)
    }

    /// A backup that its timer has begun makes room: the timer tries again. For whoever else uses the state it is waited.
    private func putBack(_ undo: StateUndo) async throws(StateError) {
        await service.stopBackups()
        let end = ContinuousClock.now.advanced(by: .seconds(600))
        while true {
            do throws(StateError) {
                try undo.putBack()
                return
            } catch {
                guard case .busy = error, ContinuousClock.now < end else { throw error }
            }
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// Nothing has been touched yet.
    ///
    /// - Parameter isLasting: whether it would be the same again.
    private func abandon(_ record: inout UpgradeRecord, _ reason: String, isLasting: Bool) throws(UpgradeError) {
        record.reason = reason
        record.isTransient = !isLasting
        try enter(.abandoned, &record)
    }

    private func enter(_ step: UpgradeRecord.Step, _ record: inout UpgradeRecord) throws(UpgradeError) {
        record.step = step
        do throws(FileError) { try record.write(to: places.record) } catch { throw .file(error) }
        say(record)
    }

    /// What has stayed is what a rollback takes back; what is tried after it and given up changes nothing of that.
    private func keepWayBack(_ record: UpgradeRecord?) throws(UpgradeError) {
        guard let record else { return }
        do throws(FileError) {
            if record.step == .done { try record.write(to: places.done) }
            if record.step == .wentBack, record.isRollback, Tree.exists(places.done) {
                unlink(places.done)
                try Folder.flush(places.folder)
            }
        } catch {
            throw .file(error)
        }
    }

    /// After the end: only the packages of the two versions stay, and those of the way back.
    private func tidyUp(after record: UpgradeRecord?) {
        Tree.remove(places.rehearsal)
        Tree.remove(places.fetched)
        // Without a record nobody knows which packages are needed: whoever began was killed before it was written.
        if let record, let done = try? [UpgradeRecord.read(from: places.done)] {
            let kept = ([record] + done.compactMap { $0 }).flatMap { [$0.old.package, $0.new.package] }.map(File.name(of:))
            for name in Folder.names(in: places.packages) where !kept.contains(name) { unlink("\(places.packages)/\(name)") }
        }
        unlink(places.runner)
    }
}
