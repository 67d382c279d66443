import CertificateStore
import ProcessMemory
import ServerConfigs
import Settings
import Supervision
import Synchronization

extension Parts {
    /// How often everything is looked at, and how soon again when something was not as it should be.
    private static let pauses = (usual: Duration.seconds(60), soon: Duration.seconds(5))

    /// Looks at everything that is served, and at which certificate each port really serves.
    func lookAtPorts() async {
        let served = await deepLook.look(at: settings.endpoints, turnSecret: facts.turnSecret, serial: (try? keeper.usable())?.record.serial) {
            [household] in
            var serving: Set<Service> = []
            for snapshot in await household.snapshots(withMemory: false) where snapshot.state == .ready || snapshot.state == .unhealthy {
                if let service = Service(rawValue: snapshot.name) { serving.insert(service) }
            }
            return serving
        }
        await keeper.saw(served)
    }

    /// Looks again and again. Never returns by itself.
    func lookDeeply() async throws {
        while true {
            // What a look needed, and the start before the first, is not needed until the next.
            releaseStartupPages()
            let isStale = await hasNewlyStaleServers()
            try await Task.sleep(for: verdicts.isSuspicious || isStale ? Self.pauses.soon : Self.pauses.usual, tolerance: .seconds(1))
            releaseStartupPages()
            await lookAtPorts()
            // A server that is just being given another certificate needs a moment, and is looked at by whoever gives it.
            if isStale, !keeper.work.expected.isUnderWay { await restartStaleServers() }
        }
    }

    /// Whether a server serves another certificate than the one it was given, and has not been started again for it.
    private func hasNewlyStaleServers() async -> Bool {
        let stale = await keeper.stale(among: settings.endpoints)
        guard !stale.isEmpty, let serial = (try? keeper.usable())?.record.serial else { return false }
        return restarted.withLock { restarted in stale.contains { !restarted.contains("\($0.service.rawValue) \(serial)") } }
    }

    /// The looking itself fails, or works again.
    static func report(_ failure: CertificateFailure?) {
        guard let failure else { return Announcer().progress("what is served can be looked at again") }
        Announcer().problem(.init(error: "what is served cannot be looked at: \(failure.error)", cause: failure.cause, tryThis: failure.try))
    }
}
