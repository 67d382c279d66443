import ProcessMemory
import Settings
import Supervision

extension Parts {
    /// Keeps everything as it should be, and tells the administrators of what only they can mend. Never returns by itself.
    func keepWatch() async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await self.keepCertificate() }
            tasks.addTask { try await self.lookAround() }
            tasks.addTask { try await self.watchForUpgrades() }
            tasks.addTask { try await self.lookDeeply() }
            tasks.addTask { try await self.watchStorage() }
            tasks.addTask { try await self.watchForReplacedFiles() }
            tasks.addTask { try await self.watchBackups() }
            tasks.addTask { try await self.giveMemoryBack() }
            tasks.addTask { try await self.followRelayAddress() }
            try await tasks.next()
            tasks.cancelAll()
        }
    }

    /// Every quarter of a minute: does a server keep failing, is the disk nearly full, can the clock be believed?
    func lookAround() async throws {
        var failing: Set<String> = []
        var watches: [String: ServiceWatch] = [:]
        var clock = ClockWatch()
        var upgrade: [Int?] = []
        let names = await household.snapshots(withMemory: false).map(\.name)
        for service in Service.allCases where !names.contains(service.rawValue) { await messages.forget("service \(service.rawValue)") }
        while true {
            for snapshot in await household.snapshots(withMemory: false) {
                say(snapshot, &failing)
                await tell(of: snapshot, &watches[snapshot.name, default: ServiceWatch()])
            }
            tellOfChangedSettings()
            noteChatEndpoint()
            await tellOfUpgrade(&upgrade)
            if let disk = DiskSpace(of: locations.state) { await tell(of: disk) }
            await look(at: &clock)
            statusNews.ring()
            try await Task.sleep(for: .seconds(15), tolerance: .seconds(2))
        }
    }

    /// What the probes need of the program is needed for moments only. Never returns by itself.
    private func giveMemoryBack() async throws {
        while true {
            try await Task.sleep(for: .seconds(5), tolerance: .seconds(1))
            releaseStartupPages()
        }
    }

    private func look(at clock: inout ClockWatch) async {
        let reading = ClockWatch.Reading.now()
        if let jump = clock.jump(at: reading) {
            say.progress(ClockWatch.words(jump))
            // What is to be done about the certificate is another question now. One that is set ahead is no reason to hurry: it may be wrong itself.
            if jump < 0 { await wishes.wake() }
        }
        let notBefore = await keeper.begin
        await tellOfClock(isWrong: clock.isWrong(at: reading, notBefore: notBefore))
        guard let problem = clock.problem(at: reading, notBefore: notBefore) else { return matters.close("clock") }
        // Told once, and not whenever the present moment in it is another.
        if !matters.all.contains(where: { $0.matter == "clock" && $0.problem.error == problem.error }) { say.problem(problem) }
        matters.open("clock", problem)
    }

    /// That nothing keeps it right needs no hand today, and the status says it.
    private func tellOfClock(isWrong: Bool) async {
        await messages.tell(
            "clock", level: isWrong ? 1 : 0,
            isWrong
                ? """
                The clock of the machine of \(settings.domain) is wrong: certificates are not believed, and messages get the wrong time.
                What to do: set it, and have it kept right: `timedatectl set-ntp true` on the server.
                """ : "The clock of the machine of \(settings.domain) can be believed again.")
    }

    /// Says it in the journal too, by name and once.
    private func say(_ snapshot: ServiceSnapshot, _ failing: inout Set<String>) {
        let name = snapshot.name
        switch snapshot.state {
        case .failed:
            guard failing.insert(name).inserted else { return }
            say.problem(
                .init(
                    error: "\(name) keeps failing", cause: snapshot.lastProblem.map { "\($0)" },
                    tryThis: "snikket logs \(name); when the cause is gone, snikket reload starts it at once"))
        case .ready:
            if failing.remove(name) != nil { say.progress("\(name) works again") }
        default: break
        }
    }

    private func tell(of snapshot: ServiceSnapshot, _ watch: inout ServiceWatch) async {
        let matter = "service \(snapshot.name)"
        if let problem = ServiceWatch.often(snapshot) {
            if !matters.all.contains(where: { $0.matter == matter }) { say.problem(problem) }
            matters.open(matter, problem)
        } else {
            matters.close(matter)
        }
        let service = Service(rawValue: snapshot.name)
        let notice = watch.notice(
            of: snapshot, isLasting: service.map(verdicts.isLasting) ?? false, isOnProbation: service.map(verdicts.isOnProbation) ?? false,
            domain: settings.domain)
        if let notice { await messages.tell(matter, level: notice.level, notice.text) }
    }

    private func tell(of disk: DiskSpace) async {
        if disk.alarm > 0 {
            matters.open(
                "disk",
                .init(
                    error: "the disk is nearly full", cause: disk.left,
                    tryThis: "make room, or keep less: SNIKKET_UPLOAD_STORAGE_GB, SNIKKET_RETENTION_DAYS"))
            await messages.tell(
                "disk", level: disk.alarm,
                """
                The disk of \(settings.domain) is nearly full: \(disk.left). When it is full, messages and files are lost.
                What to do: make room on the server, or set SNIKKET_UPLOAD_STORAGE_GB and SNIKKET_RETENTION_DAYS lower.
                """)
        } else if disk.isAmple {
            matters.close("disk")
            await messages.tell("disk", level: 0, "The disk of \(settings.domain) has room again: \(disk.left).")
        }
    }
}
