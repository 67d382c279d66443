extension SupervisedService {
    /// The pauses between two readiness checks: short at first, since the start of a server is what people wait for.
    private static let readinessPause = (first: Duration.milliseconds(5), longest: Duration.milliseconds(50))

    /// Waits until the process serves, then sees to it that it goes on serving. The only place that runs checks, so none runs twice at once.
    ///
    /// - Returns: why the process has to end; nil when it ended by itself, or the task was cancelled.
    func watch(_ process: ServiceProcess) async -> Ending? {
        guard await process.start() != nil else { return nil }
        processSince = .now()
        if let problem = await becomeReady(specification.readiness) { return problem }
        var badAnswers = 0
        while !Task.isCancelled {
            await rest(for: specification.liveness.map { badAnswers == 0 ? $0.interval : $0.retryInterval })
            if Task.isCancelled { return nil }
            switch wish {
            case .restart: return .wished
            case .reload:
                wish = nil
                badAnswers = 0
                if let problem = await readAgain(process) { return problem }
            case nil:
                guard let liveness = specification.liveness else { continue }
                do {
                    try HaltedProcess.check(process.pid, runningAs: specification.account)
                    try await withDeadline(liveness.checkDeadline, liveness.check)
                    badAnswers = 0
                    if state == .unhealthy { state = .ready }
                } catch let impaired as ServiceImpaired {
                    badAnswers = 0
                    lastProblem = .impaired(impaired)
                    if state == .ready { state = .unhealthy }
                } catch {
                    if Task.isCancelled { return nil }
                    badAnswers += 1
                    let problem = ServiceProblem.unhealthy(failures: badAnswers, check: error)
                    lastProblem = problem
                    // One bad answer says little, the last but one is worth showing.
                    if badAnswers >= liveness.threshold - 1, state == .ready { state = .unhealthy }
                    if badAnswers >= liveness.threshold { return .problem(problem) }
                }
            }
        }
        return nil
    }

    /// Tells the server to read its files again, and waits until it serves with them. One that does not is to be started again, which reads them too.
    ///
    /// - Returns: why it has to end; nil when it is ready now, or the task was cancelled.
    private func readAgain(_ process: ServiceProcess) async -> Ending? {
        var isDone: ServiceSpecification.Readiness?
        do {
            isDone = try await specification.beforeReload?()
        } catch {
            return Task.isCancelled ? nil : .problem(.unhealthy(failures: 1, check: error))
        }
        if let signal = specification.reloadSignal { process.send(signal) }
        return await becomeReady(isDone, specification.readiness)
    }

    /// Checks until the server serves.
    ///
    /// - Parameter stages: how to know, one after the other.
    /// - Returns: why it has to end; nil when it is ready now, or the task was cancelled.
    private func becomeReady(_ stages: ServiceSpecification.Readiness?...) async -> Ending? {
        for readiness in stages.compactMap({ $0 }) {
            let start = ContinuousClock.now
            var pause = Self.readinessPause.first
            while true {
                // Who was halted together with us, or with the whole machine, gets one more chance afterwards.
                let isLast = start.duration(to: .now) >= readiness.deadline
                do {
                    try await withDeadline(readiness.checkDeadline, readiness.check)
                    break
                } catch {
                    if isLast {
                        return .problem(.notReady(after: readiness.deadline, check: error))
                    }
                }
                try? await Task.sleep(for: pause)
                if Task.isCancelled { return nil }
                if wish == .restart { return .wished }
                pause = min(pause * 1.5, Self.readinessPause.longest)
            }
        }
        if Task.isCancelled { return nil }
        // Wished for while the last check was under way: whoever waits for the successor must not take this one for it.
        if wish == .restart { return .wished }
        state = .ready
        readySince = readySince ?? pace.now()
        return nil
    }

    /// Pauses until the time is over or somebody wishes something; without a time, until then.
    func rest(for interval: Duration?) async {
        guard wish == nil else { return }
        let nap: Task<Void, Never> = Task { [pace] in
            if let interval {
                try? await pace.sleep(interval)
            } else {
                // No long sleep: a cancelled one keeps its timer until its time has come.
                let (never, open) = AsyncStream.makeStream(of: Never.self)
                for await _ in never {}
                open.finish()
            }
        }
        self.nap = nap
        await withTaskCancellationHandler {
            await nap.value
        } onCancel: {
            nap.cancel()
        }
        self.nap = nil
    }
}
