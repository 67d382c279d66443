import ProcessMemory
import ServerConfigs
import Settings
import Supervision
import Synchronization

extension ContainerServer {
    /// Takes over whatever changes: the certificate, the settings. Returns when the settings take another start.
    func keepWatch(over mark: String?) async throws {
        var certificate = mark
        var nextRelayLook = ContinuousClock.now + Self.relayPause
        while true {
            try await Task.sleep(for: Self.pause, tolerance: .milliseconds(500))
            if service != .portal, let mark = certificateMark, mark != certificate {
                certificate = mark
                await loadCertificate()
            }
            if service == .coturn, ContinuousClock.now >= nextRelayLook {
                await followRelayAddress()
                nextRelayLook = .now + Self.relayPause
            }
            let mark = currentSettings.source.mark
            if currentSettings.isFileChanged, refusal.withLock({ $0.permits(mark) }) {
                do {
                    guard try await takeSettings(mark) else { return }
                    refusal.withLock { $0 = RefusedSettings() }
                } catch {
                    if Task.isCancelled { throw error }
                    let problem = currentSettings.source.explain(error).0
                    if refusal.withLock({ $0.refused(mark, for: problem) }) { say.problem(problem) }
                }
            }
            releaseStartupPages()
        }
    }

    /// As for `snikket up`: a router at home gets another address from time to time.
    private static let relayPause = Duration.seconds(300)

    private func followRelayAddress() async {
        guard let address = await findRelayAddress(), relayAddress.withLock({ $0 }) != address else { return }
        do {
            relayAddress.withLock { $0 = address }
            let files = try files(for: currentSettings.value)
            try await Acceptance(facts: facts(for: currentSettings.value), programs: programs).check(files)
            guard try !files.write().isEmpty else { return }
            say.progress("calls are relayed at \(address), as DNS says of \(currentSettings.value.turn.host)")
            if let problem = await useFiles() { throw problem }
        } catch {
            // Tried again with the next look.
            relayAddress.withLock { $0 = nil }
            let problem = currentSettings.source.explain(error).0
            say.problem(.init(error: "the relay for calls cannot be given the address \(address)", cause: problem.cause ?? problem.error))
        }
    }

    private func loadCertificate() async {
        switch await household.reload(service) {
        case nil: say.progress("\(service.rawValue) has a new certificate")
        // It reads it when it starts.
        case .notRunning, .cancelled: break
        case .cannotReload, .notReady:
            say.problem(.init(error: "\(service.rawValue) does not serve after its reload", tryThis: "nothing; it is being started again"))
            _ = await household.restart(service)
        }
    }

    /// Reads the settings again and has the server use what follows from them; with the old ones again when it does not serve then. false when it
    /// takes another start.
    private func takeSettings(_ mark: [Int]?) async throws -> Bool {
        let old = try files(for: currentSettings.value)
        guard let new = try currentSettings.next(say) else { return false }
        let files = try files(for: new)
        if service != .portal { try await Acceptance(facts: facts(for: new), programs: programs).check(files) }
        guard try !files.write().isEmpty else {
            currentSettings.replace(with: new, mark: mark)
            return true
        }
        guard let problem = await useFiles() else {
            currentSettings.replace(with: new, mark: mark)
            say.progress("\(service.rawValue) has the new settings")
            return true
        }
        try old.write()
        _ = await useFiles()
        throw ApplianceError.failed(
            .init(error: "\(service.rawValue) does not serve with the new settings, so the old ones are back", cause: "\(problem)"))
    }

    private func useFiles() async -> SupervisionError? { await household.useFiles(of: service) }
}
