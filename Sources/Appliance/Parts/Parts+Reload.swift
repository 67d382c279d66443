import DurableFiles
import FoundationEssentials
import Glibc
import Portal
import ServerConfigs
import Settings
import Supervision
import Synchronization
import UnixSignals

/// What a reload did, or would do: `POST /reload`.
public struct ReloadReport: Codable, Sendable, Equatable {
    /// The options that are set otherwise.
    public var options: [String]
    /// The files that change, as a unified diff, secrets masked.
    public var difference: String
    /// The servers that were reloaded or started again; none when it was only a look.
    public var services: [String]
}

/// `POST /reload`.
struct ReloadRequest: Codable, Sendable {
    /// Only to look.
    var dry: Bool
}

extension Parts {
    /// Takes changed settings over. All or nothing: what is wrong with the settings, or with one file, leaves everything as it is; and a
    /// server that does not come up with its new files gets the old ones back.
    ///
    /// - Parameter isDry: only tell what would change.
    /// - Throws: what is wrong with the settings, `ServerConfigsError` when a server's checker refuses a file, ``ApplianceError``.
    func reload(isDry: Bool) async throws -> ReloadReport {
        guard haveStarted.withLock({ $0 }), standing.withLock({ $0 }) != .stopping else { throw later("snikket is still starting") }
        let isFirst = isReloading.withLock { isReloading in
            defer { isReloading = true }
            return !isReloading
        }
        guard isFirst else { throw later("another reload is under way") }
        defer {
            isReloading.withLock { $0 = false }
            statusNews.ring()
        }
        let mark = currentSettings.source.mark
        let (old, new) = (settings, try currentSettings.source.read())
        let fixed = new.optionsNeedingRestart(since: old)
        guard fixed.isEmpty else {
            throw ApplianceError.failed(
                .init(
                    error: "some of what has changed takes effect only when everything is started again",
                    cause: fixed.joined(separator: ", "), tryThis: "systemctl restart snikket"))
        }
        let files = try files(for: new)
        var report = ReloadReport(options: new.optionsChanged(since: old), difference: try files.difference(), services: [])
        if isDry { return report }
        // Whoever asked for it: systemd shows it, and waits for the end.
        systemd.reloading()
        statusNews.ring()
        defer { systemd.ready() }
        try await Acceptance(facts: facts(for: new), programs: programs, account: serverAccount).check(files.filter { $0.service != .portal })
        report.services = try await putInPlace(files, insteadOf: try self.files(for: old)).map(\.rawValue)
        currentSettings.replace(with: new, mark: mark)
        pageNews.ring()
        report.services += try await startWaiting().map(\.rawValue)
        let words = report.services.isEmpty ? "nothing had to be done" : report.services.joined(separator: ", ")
        say.progress("the settings have been read again: \(words)")
        return report
    }

    /// Writes what differs and has the servers use it, one after the other; everything as before when one of them does not serve then.
    private func putInPlace(_ files: [RenderedFile], insteadOf old: [RenderedFile]) async throws -> [Service] {
        let changed: Set<Service>
        do {
            changed = try files.write(for: serverAccount)
        } catch {
            // No server has seen any of it.
            _ = try? old.write(for: serverAccount)
            throw error
        }
        var done: [Service] = []
        for service in Service.allCases where changed.contains(service) {
            done.append(service)
            guard let problem = await apply(service) else { continue }
            try old.write(for: serverAccount)
            for service in done { _ = await apply(service) }
            throw ApplianceError.failed(
                .init(
                    error: "\(service.rawValue) does not serve with the new settings, so the old ones are back", cause: "\(problem)",
                    tryThis: "snikket logs \(service.rawValue)"))
        }
        return done
    }

    /// Whoever reloads may have mended what made a server fail: one that waits for its next start is started now.
    private func startWaiting() async throws -> [Service] {
        let waiting = await household.waiting()
        for service in waiting {
            guard let problem = await household.restart(service, deadline: .seconds(30)) else { continue }
            throw ApplianceError.failed(
                .init(error: "\(service.rawValue) still does not serve", cause: "\(problem)", tryThis: "snikket logs \(service.rawValue)"))
        }
        return waiting
    }

    /// Prosody's modules read most of their options when they are loaded, coturn and the portal read their files at the start only: nginx alone is
    /// reloaded, and drops nobody. Whoever is connected to Prosody resumes (XEP-0198).
    private func apply(_ service: Service) async -> SupervisionError? {
        let isWaiting = await household.waiting().contains(service)
        return service == .nginx && !isWaiting ? await household.reload(service) : await household.restart(service, deadline: .seconds(30))
    }

    /// Everything that follows from settings, the portal's file included.
    private func files(for settings: Settings) throws -> [RenderedFile] { try facts(for: settings).files() + [portalFile(for: settings)] }

    private func later(_ why: String) -> ApplianceError { .refused(.init(error: why, tryThis: "try again in a moment")) }

    /// Answers `POST /reload`.
    func answerReload(_ request: ReloadRequest) async -> ControlAnswer {
        do {
            return ControlAnswer(200, try await reload(isDry: request.dry))
        } catch ApplianceError.refused(let problem) {
            return .refusal(409, problem)
        } catch ApplianceError.failed(let problem) {
            return .refusal(424, problem)
        } catch {
            let (problem, isSettings) = currentSettings.source.explain(error)
            return .refusal(isSettings ? 422 : 424, problem)
        }
    }

    /// Reloads on SIGHUP. However many come while it reloads, they are one more.
    func reloadOnHangup() async throws {
        let (hangups, hangup) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        await withDiscardingTaskGroup { tasks in
            tasks.addTask {
                for await _ in await UnixSignalsSequence(trapping: .sighup) { hangup.yield() }
                hangup.finish()
            }
            for await _ in hangups { await reloadOnce() }
            tasks.cancelAll()
        }
    }

    /// Without a command that waits, what goes wrong is told here.
    private func reloadOnce() async {
        let answer = await answerReload(ReloadRequest(dry: false))
        if answer.status != 200, let problem = try? JSONDecoder().decode(StatusReport.ProblemReport.self, from: Data(answer.json)) {
            say.problem(problem)
        }
    }

    /// Says once that the settings' file has changed: what is half written is not taken over by itself.
    func tellOfChangedSettings() {
        let isChanged = currentSettings.isFileChanged
        let isNews = wasToldOfChange.withLock { told in
            defer { told = isChanged }
            return isChanged && !told
        }
        if isNews { say.progress("the settings have changed; `snikket reload` puts them into force") }
    }
}
