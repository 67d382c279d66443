import ChatServer
import Glibc
import Health
import NIOCore
import ProcessMemory
import Settings
import Synchronization

extension Parts {
    /// Everything that there is to measure, now, as text.
    func metrics(_ form: MetricsText.Form) async -> [UInt8] {
        async let chat = standing.withLock({ $0 }) == .running ? try? await self.chat.statistics() : nil
        let status = await status()
        return MetricsText(
            form, Metrics(status: status, probes: probes.records, own: OwnProcess(startedAt: startedAt), chat: await chat).families
        ).bytes
    }

    /// Answers `GET /metrics`.
    func answerMetrics(_ request: ControlRequest) async -> ControlAnswer {
        let form = MetricsText.Form(accepting: request.accept)
        // Until the next scrape nobody needs what this one did.
        defer { releaseStartupPages() }
        return ControlAnswer(status: 200, body: await metrics(form), contentType: form.contentType)
    }

    /// Offers the metrics where the settings say so, for as long as everything runs. Without them people can chat all the same: what is against
    /// listening there is told, and tried again.
    func serveMetrics() async throws {
        guard let address = settings.metricsListen else { return }
        let server = MetricsServer(address: address, group: group) { request in
            guard request.method == "GET", request.path == "/metrics" else {
                return .refusal(404, .init(error: "there is only GET /metrics"))
            }
            return await self.answerMetrics(request)
        }
        while true {
            do {
                try await server.run { self.matters.close("metrics") }
            } catch {
                try Task.checkCancellation()
                let problem = StatusReport.ProblemReport(
                    error: "metrics cannot be offered at \(address.plain)",
                    cause: (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)",
                    tryThis: "look at SNIKKET_METRICS_LISTEN: is it an address of this machine?")
                if !matters.all.contains(where: { $0.problem == problem }) { say.problem(problem) }
                matters.open("metrics", problem)
            }
            try await Task.sleep(for: .seconds(30))
        }
    }
}
