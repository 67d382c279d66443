/// What may be repeated, and when.
extension Client {
    /// Rides out one or two failures in a row: a broken connection, a 5xx, an answer that cannot be read, a short Retry-After.
    func persist<Value: Sendable>(
        _ step: Step, _ attempt: () async throws(ACMEError) -> Value
    ) async throws(ACMEError) -> Value {
        var failures = 0
        while true {
            do {
                return try await attempt()
            } catch {
                failures += 1
                guard failures < 3, let wait = repetition(of: error, failures: failures), time.elapsed() + wait < deadline else { throw error }
                try await pause(wait, for: step)
            }
        }
    }

    /// How long to wait before the same request may be sent again; nil when it must not be.
    private func repetition(of error: ACMEError, failures: Int) -> Duration? {
        let ours = Duration.milliseconds(failures == 1 ? 250 : 1000)
        switch error {
        case .transport(_, let error):
            switch error.kind {
            case .connect, .timeout, .broken, .resolve, .handshake: return ours
            case .tls, .tooLarge, .setup, .cancelled: return nil
            }
        case .problem(let problem, let status, _, let after):
            guard status >= 500 || status == 429 else { return nil }
            // A rate limit without a time is one of hours.
            guard let after else { return problem.name == "rateLimited" || status == 429 ? nil : ours }
            return after <= 10 ? max(ours, .seconds(after)) : nil
        case .unexpected(_, _, let what):
            switch what {
            case .notJSON, .notPEM, .missing, .contentType: return ours
            case .badLink, .foreignName, .redirect, .status: return nil
            }
        default: return nil
        }
    }

    /// Waits, but not past the deadline.
    ///
    /// - Parameter told: the CA's Retry-After, when that is why.
    func pause(_ duration: Duration, for step: Step, told: Int? = nil) async throws(ACMEError) {
        guard time.elapsed() + duration < deadline else { throw .timedOut(waitingFor: step, retryAfter: told) }
        do { try await time.sleep(duration) } catch { throw .cancelled }
    }
}
