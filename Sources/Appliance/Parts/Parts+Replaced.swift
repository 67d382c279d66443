import DurableFiles
import Glibc
import Lifecycle
import Settings
import Supervision
import Synchronization

extension Parts {
    /// Starts a server again when an upgrade has replaced its program or a library of it, in the quiet hours if there are any. Never returns by itself.
    ///
    /// Whatever is installed changes dpkg's list, which costs nothing to look at; what the servers run is looked at then, and now and then besides.
    func watchForReplacedFiles() async throws {
        var watch = ReplacementWatch()
        while true {
            try await Task.sleep(for: .seconds(30), tolerance: .seconds(5))
            guard watch.isTimeToLook(PackageManager.mark, isAtWork: PackageManager.isAtWork(), isQuiet: isQuiet, at: .now) else { continue }
            var replaced = await replacedFiles()
            await tell(of: replaced)
            let wanted = watch.toRestart(replaced)
            guard !wanted.isEmpty, isQuiet else { continue }
            for service in wanted where await restart(service, because: replaced[service] ?? []) {
                replaced = await replacedFiles()
                watch.hasStarted(service, replaced)
            }
            await tell(of: replaced)
        }
    }

    private var isQuiet: Bool { settings.quietHours.map { $0.secondsLeft(at: Int(time(nil))) != nil } ?? true }

    private func replacedFiles() async -> [Service: Set<String>] {
        var replaced = await household.replacedFiles().mapValues { $0.filter(Self.isOthers) }.filter { !$0.value.isEmpty }
        // Prosody reads its modules when it starts, and nothing shows which: those in its own package come with libraries, the others do not.
        if let unpacked = PackageManager.unpacked("prosody-modules"), unpacked <= Int(time(nil)),
            let prosody = await household.snapshots(withMemory: false).first(where: { $0.name == Service.prosody.rawValue }), prosody.pid != nil,
            prosody.since.milliseconds / 1000 < unpacked
        {
            replaced[.prosody, default: []].insert("prosody-modules")
        }
        return replaced
    }

    /// Our own programs are a matter of our own upgrade.
    private static func isOthers(_ path: String) -> Bool { !["snikket", "snikket-certs"].contains(File.name(of: path)) }

    /// - Returns: false when this is not the moment for it.
    private func restart(_ service: Service, because files: Set<String>) async -> Bool {
        guard haveStarted.withLock({ $0 }), standing.withLock({ $0 }) == .running else { return false }
        guard beginReloading() else { return false }
        defer { endReloading() }
        say.progress("\(service.rawValue) is started again: an upgrade has replaced \(Self.names(of: files))")
        await versions.forget()
        if let problem = await household.restart(service) {
            say.problem(
                .init(
                    error: "\(service.rawValue) does not serve since it was started again for an upgrade", cause: "\(problem)",
                    tryThis: "snikket logs \(service.rawValue)"))
        }
        statusNews.ring()
        return true
    }

    private func tell(of replaced: [Service: Set<String>]) async {
        let own = ReplacedFiles.ofOurselves.filter(Self.isOthers)
        await messages.tell(
            "replaced", level: own.isEmpty ? 0 : 1,
            own.isEmpty
                ? "Snikket on \(settings.domain) runs with what is installed again."
                : """
                An upgrade has replaced what snikket itself runs on \(settings.domain): \(Self.names(of: own)).
                What to do: `systemctl restart snikket` on the server. The servers are started again by themselves.
                """)
        guard !replaced.isEmpty || !own.isEmpty else { return matters.close("replaced") }
        let servers = Service.allCases.compactMap { service in replaced[service].map { "\(service.rawValue): \(Self.names(of: $0))" } }
        let remedy = settings.quietHours.map { "nothing: it is done in the quiet hours, \($0.plain)" } ?? "nothing: it is done in a moment"
        matters.open(
            "replaced",
            .init(
                error: "an upgrade takes effect only when what it has replaced is started again",
                cause: (servers + (own.isEmpty ? [] : ["snikket: \(Self.names(of: own))"])).joined(separator: "; "),
                tryThis: own.isEmpty ? remedy : "systemctl restart snikket"))
        statusNews.ring()
    }

    private static func names(of files: Set<String>) -> String { files.map { File.name(of: $0) }.sorted().joined(separator: ", ") }
}
