import Settings
import Supervision

extension Parts {
    /// Keeps everything as it should be, and tells the administrators of what only they can mend. Never returns by itself.
    func keepWatch() async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await self.keepCertificate() }
            tasks.addTask { try await self.lookAround() }
            tasks.addTask { try await self.watchForUpgrades() }
            tasks.addTask { try await self.keepBackups() }
            try await tasks.next()
            tasks.cancelAll()
        }
    }

    /// Tells systemd that every actor that watches a server, and the one that keeps the certificate, still answers. When one of them does not, neither
    /// does this.
    func answerWatchdog(every interval: Duration) async throws {
        while true {
            _ = await household.snapshots(withMemory: false)
            _ = await keeper.nextStep()
            systemd.alive()
            try await Task.sleep(for: interval)
        }
    }

    /// Every quarter of a minute: does a server keep failing, is the disk nearly full?
    private func lookAround() async throws {
        while true {
            for snapshot in await household.snapshots(withMemory: false) { await tell(of: snapshot) }
            tellOfChangedSettings()
            if let disk = DiskSpace(of: locations.state) { await tell(of: disk) }
            try await Task.sleep(for: .seconds(15))
        }
    }

    private func tell(of snapshot: ServiceSnapshot) async {
        let name = snapshot.name
        switch snapshot.state {
        case .failed:
            let why = snapshot.lastProblem.map { "\($0)" } ?? "it says nothing"
            await messages.tell(
                "service \(name)", level: 1,
                """
                \(name), a part of \(settings.domain), keeps failing. It is tried again now and then; everything else goes on.
                What is wrong: \(why).
                What to do: look at `snikket logs \(name)` on the server.
                """)
        // One that comes up for a moment only is not well.
        case .ready where Timestamp.now().milliseconds - snapshot.since.milliseconds >= 120_000:
            await messages.tell("service \(name)", level: 0, "\(name), a part of \(settings.domain), works again.")
        default: break
        }
    }

    private func tell(of disk: DiskSpace) async {
        let left = "\(disk.free / (1 << 20)) MB of \(disk.total / (1 << 20)) MB are left"
        if disk.alarm > 0 {
            await messages.tell(
                "disk", level: disk.alarm,
                """
                The disk of \(settings.domain) is nearly full: \(left). When it is full, messages and files are lost.
                What to do: make room on the server, or set SNIKKET_UPLOAD_STORAGE_GB and SNIKKET_RETENTION_DAYS lower.
                """)
        } else if disk.isAmple {
            await messages.tell("disk", level: 0, "The disk of \(settings.domain) has room again: \(left).")
        }
    }
}
