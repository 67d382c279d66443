import CertificateStore
import Settings
import Supervision
import Synchronization

/// What systemd is told while everything runs (sd_notify(3)).
extension Parts {
    /// What is being done before everything serves.
    func begin(_ step: String) {
        self.step.withLock { $0 = step }
        statusNews.ring()
    }

    /// Keeps the line of `systemctl status` true, as things change. Never returns by itself.
    func keepStatusLine() async {
        await withTaskGroup(of: Void.self) { group in
            for changes in household.stateChanges() {
                group.addTask { [statusNews] in for await _ in changes { statusNews.ring() } }
            }
            // One after the other: an older line must not come after a newer one.
            for await _ in statusNews.rings { systemd.status(await statusLine()) }
            group.cancelAll()
        }
    }

    private func statusLine() async -> String {
        let failure = await keeper.lastFailure
        return StatusLine.text(
            domain: settings.domain, phase: standing.withLock { $0 }, step: step.withLock { $0 }, isReloading: isReloading.withLock { $0 },
            services: await household.snapshots(withMemory: false), problems: matters.all.map(\.problem.error), certificateProblem: failure?.error)
    }

    /// Tells systemd that every actor that watches a server, the thread that starts them and hears of their ends, and the actor that keeps the certificate
    /// still answer. When one of them does not, neither does this.
    func answerWatchdog(every interval: Duration) async throws {
        while true {
            _ = await household.snapshots(withMemory: false)
            await SupervisedService.launcherAnswers()
            _ = await keeper.nextStep()
            systemd.alive()
            try await Task.sleep(for: interval)
        }
    }
}
