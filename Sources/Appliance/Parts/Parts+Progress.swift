import CertificateStore
import DurableFiles
import ServerConfigs
import Settings
import Supervision
import Synchronization

extension Parts {
    /// Keeps the page that people see while something does not serve. It is written when its words have changed, by nobody else, and nothing is done
    /// while nothing happens. Never returns by itself.
    func keepPage() async throws {
        await withDiscardingTaskGroup { tasks in
            for changes in household.stateChanges() {
                tasks.addTask { for await _ in changes { self.pageNews.ring() } }
            }
            await writePage()
            for await _ in pageNews.rings { await writePage() }
            tasks.cancelAll()
        }
    }

    private func writePage() async {
        // The page is a file that nginx reads at each request; when it cannot be written, the terminal and the status still say it all.
        _ = try? [facts.waitingPage(await progress())].write(for: serverAccount)
    }

    /// How far everything has come.
    func progress() async -> Progress {
        let states = Dictionary(uniqueKeysWithValues: await household.snapshots(withMemory: false).map { ($0.name, $0.state) })
        func step(_ part: Progress.Part, _ service: Service) -> Progress.Step? { states[service.rawValue].map { .init(part, .init($0)) } }
        let isStart = standing.withLock { $0 } == .starting
        let failure = phase.isServing ? nil : await keeper.lastFailure
        let certificate = isStart ? await certificateStep(failure != nil) : nil
        return Progress(
            isStart: isStart,
            steps: [certificate, step(.chat, .prosody), step(.pages, .portal), step(.calls, .coturn)].compactMap { $0 },
            problem: failure.map { .init(error: $0.error, cause: $0.cause, tryThis: $0.try) })
    }

    private func certificateStep(_ hasFailed: Bool) async -> Progress.Step {
        if phase.isServing { return .init(.certificate, .ready) }
        if let work = keeper.work.report, !work.done { return .init(.certificate, .underWay(Self.words(ofStep: work.step))) }
        guard hasFailed else { return .init(.certificate, .waiting) }
        return .init(.certificate, .failed(next: Progress.State.clock(await keeper.nextAttempt())))
    }

    /// What the certificate program does, for somebody who has never heard of any of it.
    ///
    /// - Parameter step: a step of RFC 8555, and perhaps the name that it is about.
    static func words(ofStep step: String) -> String {
        let words = step.split(separator: " ", maxSplits: 1)
        let name = words.count > 1 ? " for \(words[1])" : ""
        return switch words.first {
        case "directory", "account": "asking the authority"
        case "order", "authorizations": "ordering it"
        case "challenges": "preparing the proof that the names are ours\(name)"
        case "validation": "the authority looks at the proof\(name)"
        case "finalize", "certificate", "authority": "being made"
        case "another": "asking another authority"
        default: "on its way"
        }
    }
}

extension Progress.State {
    init(_ state: ServiceState) {
        self =
            switch state {
            case .stopped: .waiting
            case .starting, .stopping: .underWay(nil)
            case .ready, .reloading: .ready
            case .unhealthy: .underWay("does not answer; it is looked at")
            case .backingOff(let until), .failed(let until): .failed(next: Self.clock(Int(until.milliseconds / 1_000)))
            }
    }

    /// A moment as people say it; a date only when it is another day's.
    ///
    /// - Parameter seconds: since 1970.
    static func clock(_ seconds: Int, now: Int = Int(Timestamp.now().milliseconds / 1_000)) -> String? {
        // One that is over, or as good as: nobody has to wait for it.
        guard seconds - now >= 5 else { return nil }
        let (text, today) = (RFC3339.text(seconds), RFC3339.text(now))
        let time = "at \(text.dropFirst(11).prefix(8)) UTC"
        return text.prefix(10) == today.prefix(10) ? time : "on \(text.prefix(10)) \(time)"
    }
}
