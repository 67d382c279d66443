import ServerConfigs
import Settings
import Supervision
import Synchronization

extension Parts {
    /// Behind NAT, looks now and then under which address the internet knows this machine: a relay that names another one carries no call, and a
    /// router at home gets another one from time to time. Never returns by itself.
    func followRelayAddress() async throws {
        while true {
            if settings.turn.enabled, let address = await findRelayAddress(), relayAddress.withLock({ $0 }) != address { await use(address) }
            try await Task.sleep(for: .seconds(300), tolerance: .seconds(30))
        }
    }

    private func use(_ address: String) async {
        // Else with the next look: a reload writes the same files.
        guard beginReloading() else { return }
        defer { endReloading() }
        let before = relayAddress.withLock { $0 }
        do {
            relayAddress.withLock { $0 = address }
            let files = try facts.files(of: .coturn)
            try await Acceptance(facts: facts, programs: programs, account: serverAccount).check(files)
            guard try !files.write(for: serverAccount).isEmpty else { return }
            say.progress("calls are relayed at \(address), as DNS says of \(settings.turn.host)")
            if let problem = await household.restart(.coturn, deadline: .seconds(30)) { throw problem }
        } catch {
            // Tried again with the next look.
            relayAddress.withLock { $0 = before }
            let (problem, _) = currentSettings.source.explain(error)
            say.problem(.init(error: "the relay for calls cannot be given the address \(address)", cause: problem.cause ?? problem.error))
        }
    }
}
