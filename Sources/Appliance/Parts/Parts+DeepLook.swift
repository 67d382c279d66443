import CertificateStore
import ProcessMemory
import ServerConfigs
import Settings
import Supervision
import Synchronization

extension Parts {
    /// The matters of a certificate that not every server has been given, and that not every server serves.
    static let copies = StatusReport.certificateCopies
    private static let served = "certificate-served"
    /// The matter that nothing can be looked at.
    private static let look = "look"
    /// How long it may last before it is told: for want of a descriptor, say, it is over in a moment.
    private static let blindness = Duration.seconds(600)

    /// How often everything is looked at, and how soon again when something was not as it should be.
    private static let pauses = (usual: Duration.seconds(60), soon: Duration.seconds(5))

    /// Looks at everything that is served, and at which certificate each port really serves.
    func lookAtPorts() async {
        let hasHTTPPort = hasHTTPPort.withLock { $0 }
        let endpoints = settings.endpoints.filter { hasHTTPPort || $0.name != Settings.httpPort }
        let served = await deepLook.look(at: endpoints, turnSecret: facts.turnSecret, serial: (try? keeper.usable())?.record.serial) {
            await self.serving()
        }
        await keeper.saw(served)
    }

    /// Which servers say that they serve.
    func serving() async -> Set<Service> {
        var serving: Set<Service> = []
        for snapshot in await household.snapshots(withMemory: false) where snapshot.state == .ready || snapshot.state == .unhealthy {
            if let service = Service(rawValue: snapshot.name) { serving.insert(service) }
        }
        return serving
    }

    /// Looks again and again. Never returns by itself.
    func lookDeeply() async throws {
        while true {
            // What a look needed, and the start before the first, is not needed until the next.
            releaseStartupPages()
            let isStale = await hasNewlyStaleServers()
            // What cannot be handed out now is no more likely to be in five seconds.
            let isUrgent = verdicts.isSuspicious || isStale && !matters.all.contains { $0.matter == Self.copies }
            try await Task.sleep(for: isUrgent ? Self.pauses.soon : Self.pauses.usual, tolerance: .seconds(1))
            releaseStartupPages()
            await lookAtPorts()
            await tellOfBlindness()
            // A server that is just being given another certificate needs a moment, and is looked at by whoever gives it.
            if keeper.work.expected.isUnderWay { continue }
            if isStale { await restartStaleServers() }
            await tellOfStaleServers()
        }
    }

    /// What nobody looks at is not known to be well.
    private func tellOfBlindness() async {
        guard let (failure, since) = await deepLook.trouble else {
            matters.close(Self.look)
            return await messages.tell(Self.look, level: 0, "What \(settings.domain) serves can be looked at again.")
        }
        matters.open(
            Self.look, .init(error: "what is served cannot be looked at: \(failure.error)", cause: failure.cause, tryThis: failure.try))
        guard since.duration(to: .now) >= Self.blindness else { return }
        await messages.tell(
            Self.look, level: 1,
            """
            Nobody can tell whether \(settings.domain) serves all that it should: \(failure.error).
            What to do: \(failure.try ?? "look at `snikket status` on the server").
            """)
    }

    /// Whether starting it again has helped a server that served another certificate than the one in place.
    private func tellOfStaleServers() async {
        let stale = await keeper.stale(among: settings.endpoints)
        guard !stale.isEmpty else {
            // One that was not seen, because it is down, may have the old one still.
            guard await keeper.isServed(by: settings.endpoints) else { return }
            matters.close(Self.served)
            await messages.tell(Self.copies, level: 0, "Every server of \(settings.domain) has been given the new certificate.")
            await messages.tell(Self.served, level: 0, "Every server of \(settings.domain) serves the new certificate.")
            return
        }
        // Those that have not been started again yet are about to be, or could not be given it, which is told of by itself.
        guard await !hasNewlyStaleServers() else { return }
        let ports = stale.map(\.name).joined(separator: ", ")
        let problem = StatusReport.ProblemReport(
            error: "another certificate than the new one is still served", cause: "seen on \(ports), after a start too",
            tryThis: "systemctl restart snikket; snikket logs says what the servers have against it")
        matters.open(Self.served, problem)
        await messages.tell(
            Self.served, level: 1,
            """
            \(settings.domain) has a new certificate, and the old one is still served (\(ports)). When it ends, no app will connect any more.
            What to do: `systemctl restart snikket` on the server; `snikket logs` says what the servers have against the new one.
            """)
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
