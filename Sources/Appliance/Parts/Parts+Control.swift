import CertificateStore
import FoundationEssentials

extension Parts {
    /// Answers a request on the control socket.
    func answer(_ request: ControlRequest) async -> ControlAnswer {
        switch (request.method, request.path) {
        case ("GET", "/status"):
            guard let json = try? await status().json() else { return .refusal(500, .init(error: "the status cannot be told")) }
            return ControlAnswer(status: 200, json: json)
        case ("GET", let path) where path.hasPrefix(StatusReport.healthPath): return await status().health(askedAs: path)
        case ("GET", "/metrics"): return await answerMetrics(request)
        case ("POST", "/certificate/renew"): return await wish(.renew)
        case ("POST", "/certificate/revoke"):
            guard let wanted = request.value(RevocationRequest.self) else {
                return .refusal(400, .init(error: "there is no such reason for a revocation"))
            }
            return await wish(.revoke(reason: wanted.reason, isForced: wanted.force))
        case ("POST", "/login"): return await answerLogin()
        case ("POST", "/reload"):
            guard let wanted = request.value(ReloadRequest.self) else { return .refusal(400, .init(error: "the request is no such JSON")) }
            return await answerReload(wanted)
        default:
            return .refusal(
                404,
                .init(
                    error: "there are only GET /status, GET /health/NAME, GET /metrics, POST /reload, POST /login, POST /certificate/renew and"
                        + " POST /certificate/revoke"))
        }
    }

    /// Has it done, unless it would come too often for the certificate authority.
    private func wish(_ wish: CertificateWish) async -> ControlAnswer {
        guard await keeper.permitsImpatience else {
            let failure = await keeper.lastFailure
            return .refusal(
                409,
                .init(
                    error: "it is too early for another attempt: \(failure?.error ?? "the last ones failed")",
                    cause: "the last attempts failed, and certificate authorities count failures",
                    tryThis: "wait for the next attempt, at \(RFC3339.text(await keeper.nextAttempt()))"))
        }
        let (number, isUnderWay) = keeper.work.expected
        if case .renew = wish, isUnderWay { return ControlAnswer(202, AttemptAnswer(attempt: number)) }
        await wishes.ring(wish)
        return ControlAnswer(202, AttemptAnswer(attempt: isUnderWay ? number + 1 : number))
    }
}
