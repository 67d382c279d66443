import CertificateStore
import Health
import Settings
import Supervision

/// Looks at everything that is served the way its users do: one short process of `snikket-certs` for all of it, since TLS is its business.
///
/// Never twice at once. What went wrong with the looking itself says nothing about a server.
actor DeepLook {
    private let program: CertificateProgram
    private let records: ProbeRecords
    private let verdicts: DeepVerdicts
    /// Asks the chat server which of its modules it should have and has not.
    private let missingModules: @Sendable () async throws -> [String]
    /// Told when the looking itself fails, or works again (nil).
    private let report: @Sendable (CertificateFailure?) -> Void
    private var isLooking = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    /// Why nothing can be looked at, and since when; nil when it can.
    private(set) var trouble: (failure: CertificateFailure, since: ContinuousClock.Instant)?

    /// How long one endpoint may take.
    private static let milliseconds = 5_000

    init(
        program: CertificateProgram, records: ProbeRecords, verdicts: DeepVerdicts, missingModules: @escaping @Sendable () async throws -> [String],
        report: @escaping @Sendable (CertificateFailure?) -> Void
    ) {
        self.missingModules = missingModules
        self.program = program
        self.records = records
        self.verdicts = verdicts
        self.report = report
    }

    /// Looks once.
    ///
    /// - Parameters:
    ///   - serial: the certificate that is in place; nil when there is none.
    ///   - serving: which servers say that they serve.
    /// - Returns: the serial that each endpoint serves, where one was seen.
    func look(
        at endpoints: [Endpoint], turnSecret: String, serial: String?, serving: @Sendable () async -> Set<Service>
    ) async -> [String: String] {
        while isLooking { await withCheckedContinuation { waiting.append($0) } }
        isLooking = true
        defer {
            isLooking = false
            for continuation in waiting { continuation.resume() }
            waiting = []
        }
        let generations = verdicts.generations
        let before = await serving()
        let asked = endpoints.filter { before.contains($0.service) && $0.behind.map(before.contains) ?? true }
        guard !asked.isEmpty, let answers = await answers(to: asked, turnSecret) else { return [:] }
        let missing = before.contains(.prosody) ? await missing() : []
        // Who has ended meanwhile is being looked after.
        let both = before.intersection(await serving())
        judge(
            asked.filter { both.contains($0.service) && $0.behind.map(both.contains) ?? true }, answers, both.contains(.prosody) ? missing : [],
            generations, serial)
        return Dictionary(
            uniqueKeysWithValues: asked.filter(\.showsCertificate).compactMap { endpoint in answers[endpoint.name]?.serial.map { (endpoint.name, $0) }
            })
    }

    private func answers(to endpoints: [Endpoint], _ turnSecret: String) async -> [String: LookAnswer]? {
        do throws(CertificateFailure) {
            let answers = try await program.look(
                LookJob(questions: endpoints.map { $0.question(turnSecret: turnSecret) }, milliseconds: Self.milliseconds))
            if trouble != nil { report(nil) }
            trouble = nil
            return Dictionary(answers.map { ($0.name, $0) }) { $1 }
        } catch {
            if !Task.isCancelled, trouble?.failure != error {
                report(error)
                trouble = (error, trouble?.since ?? .now)
            }
            return nil
        }
    }

    /// A chat server without one of its modules answers at every port, and does less. None when it does not say: that is noticed otherwise.
    private func missing() async -> [String] {
        var missing: [String] = []
        try? await records.timed(Service.prosody.rawValue, Self.modules) {
            missing = try await missingModules()
            if !missing.isEmpty { throw DeepFault(description: Self.words(missing)) }
        }
        return missing
    }

    private static let modules = "modules"

    private static func words(_ missing: [String]) -> String { "not loaded: \(missing.joined(separator: ", "))" }

    private func judge(
        _ endpoints: [Endpoint], _ answers: [String: LookAnswer], _ missing: [String], _ generations: [Service: Int], _ serial: String?
    ) {
        var (seen, faults): (Set<Service>, [Service: [String]]) = ([], [:])
        if !missing.isEmpty {
            seen.insert(.prosody)
            faults[.prosody] = ["\(Self.modules): \(Self.words(missing))"]
        }
        for endpoint in endpoints {
            guard let answer = answers[endpoint.name], answer.verdict != .unasked else { continue }
            let latency = Duration.milliseconds(answer.milliseconds)
            let reason = answer.verdict == .good ? nil : answer.reason ?? "it does not serve"
            records.note(endpoint.service.rawValue, endpoint.probe, latency: latency, failure: reason)
            if endpoint.showsCertificate, let served = answer.serial {
                let failure =
                    served != serial
                    ? "it serves another certificate than the one in place: \(served)"
                    : answer.isGood == false ? "the certificate is not good for \(endpoint.host) now" : nil
                records.note("certificate", endpoint.name, latency: latency, failure: failure)
            }
            seen.formUnion([endpoint.service] + (endpoint.behind.map { [$0] } ?? []))
            let culprit = answer.verdict == .behind ? endpoint.behind ?? endpoint.service : endpoint.service
            if let reason { faults[culprit, default: []].append("\(endpoint.probe): \(reason)") }
        }
        for service in seen {
            verdicts.note(service, generation: generations[service] ?? 0, fault: faults[service]?.joined(separator: "; "))
        }
    }
}
