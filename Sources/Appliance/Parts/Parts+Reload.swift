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

/// Some of the servers.
typealias Servers = Set<Service>

extension Parts {
    /// Takes changed settings over. All or nothing: what is wrong with the settings, or with one file, leaves everything as it is; and a
    /// server that does not come up with its new files gets the old ones back.
    ///
    /// - Parameter isDry: only tell what would change.
    /// - Throws: what is wrong with the settings, `ServerConfigsError` when a server's checker refuses a file, ``ApplianceError``.
    func reload(isDry: Bool) async throws -> ReloadReport {
        guard haveStarted.withLock({ $0 }), standing.withLock({ $0 }) != .stopping else { throw later("snikket is still starting") }
        guard beginReloading() else { throw later("another reload is under way") }
        defer {
            endReloading()
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

    /// Whoever changes what the servers run with does so alone.
    ///
    /// - Returns: false when somebody else is at it; else ``endReloading()`` has to follow.
    func beginReloading() -> Bool {
        isReloading.withLock { isReloading in
            defer { isReloading = true }
            return !isReloading
        }
    }

    func endReloading() { isReloading.withLock { $0 = false } }

    /// Writes what differs and has the servers use it, one after the other; everything as before when one of them does not serve then.
    private func putInPlace(_ files: [RenderedFile], insteadOf old: [RenderedFile]) async throws -> [Service] {
        let changed: Set<Service>
        do {
            changed = try files.write(for: serverAccount)
        } catch {
            // No server has seen any of it.
            if putBack(old) != nil { unsettled.withLock { $0.formUnion(files.map(\.service)) } }
            throw error
        }
        let wanted = changed.union(unsettled.withLock { $0 })
        var done: [Service] = []
        for service in Service.allCases where wanted.contains(service) {
            done.append(service)
            guard let problem = await household.useFiles(of: service) else {
                unsettled.withLock { _ = $0.remove(service) }
                continue
            }
            let lost = putBack(old)
            // Of those that were not reached yet the new files may be in place.
            unsettled.withLock { $0.formUnion(lost == nil ? Set(done) : wanted) }
            for service in done where await household.useFiles(of: service) == nil { unsettled.withLock { _ = $0.remove(service) } }
            let error = "\(service.rawValue) does not serve with the new settings"
            guard let lost else {
                throw ApplianceError.failed(
                    .init(error: "\(error), so the old ones are back", cause: "\(problem)", tryThis: "snikket logs \(service.rawValue)"))
            }
            throw ApplianceError.failed(
                .init(
                    error: "\(error), and the old ones could not all be put back", cause: "\(problem); \(lost)",
                    tryThis: "make room or mend the folder, correct the settings, and run `snikket reload` again"))
        }
        return done
    }

    /// Puts every file back that can be, and tells why one could not.
    private func putBack(_ files: [RenderedFile]) -> String? {
        var problem: String?
        for file in files {
            do {
                try [file].write(for: serverAccount)
            } catch {
                let told = currentSettings.source.explain(error).0
                problem = problem ?? [told.error, told.cause].compactMap { $0 }.joined(separator: ": ")
            }
        }
        return problem
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
