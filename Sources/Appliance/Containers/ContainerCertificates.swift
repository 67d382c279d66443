import CertificateStore
import DurableFiles
import Glibc
import Lifecycle
import ProcessMemory
import Settings
import Synchronization

/// The certificates in a container of their own: gets them, renews them, and gives each server its copy in a folder that both have mounted.
final class ContainerCertificates: ContainerPart {
    private let currentSettings: CurrentSettings
    private let locations: Locations
    private let keeper: CertificateKeeper
    private let wishes = Doorbell<CertificateWish>()
    private let say = Announcer()
    private let lock: HeldLock
    private let problems = Mutex(Problems())

    /// What is wrong, each said when it is news.
    private struct Problems {
        /// Why the last attempt failed.
        var attempt: StatusReport.ProblemReport?
        /// Why a server could not be given its copy.
        var copies: StatusReport.ProblemReport?
    }

    init(_ settings: CurrentSettings, _ locations: Locations, programs: String) throws {
        currentSettings = settings
        self.locations = locations
        lock = try .onlyOne(in: locations.responder, locations)
        keeper = try CertificateKeeper(settings: settings.value, locations: locations, program: programs + "/snikket-certs", accounts: .own)
    }

    func live() async throws {
        // Somebody who starts it again has probably mended what was wrong.
        var isDue = (try? keeper.usable()) == nil ? await keeper.permitsImpatience : isOwn
        var nextOwn = ContinuousClock.now
        while true {
            if isDue {
                await obtain()
                nextOwn = .now + Self.ownPause
            }
            try Task.checkCancellation()
            // A copy may be missing: of a server that has come later, or that could not be given it.
            if let stored = try? keeper.usable(), handOut(stored) == nil, await keeper.lastFailure == nil, let last = keeper.work.report {
                keeper.work.isMended(last.number)
            }
            releaseStartupPages()
            let pause = await keeper.nextStep() - Int(time(nil))
            let wish = try await wishes.wait(atMost: .seconds(min(max(pause, 1), 30)))
            if currentSettings.isFileChanged, try takeSettings() == false { return }
            await keeper.lookAtRenewalWindow()
            let isWished = if case .renew = wish { true } else { false }
            let isTime = await keeper.nextAttempt() <= time(nil)
            isDue = isWished || isTime || isOwn && ContinuousClock.now >= nextOwn
        }
    }

    /// Whether the person puts the files there, whenever it suits them.
    private var isOwn: Bool { currentSettings.value.certificates.isOwn }

    /// As for `snikket up`: how often the person's own files are looked at.
    private static let ownPause = Duration.seconds(600)

    private func obtain() async {
        let isOwn = isOwn
        do throws(CertificateFailure) {
            try await keeper.work.during { () async throws(CertificateFailure) in
                let stored = try await keeper.obtain { [say] event in
                    // Files that are as they were are no news.
                    if !isOwn { say.certificate(event) }
                }
                problems.withLock { $0.attempt = nil }
                // Whoever has asked for it hears that too.
                if let failure = handOut(stored) { throw failure }
            }
        } catch {
            // A copy that could not be handed out is no attempt that failed.
            guard !Task.isCancelled, await keeper.lastFailure != nil else { return }
            let problem = StatusReport.ProblemReport(error)
            guard isNews(problem, as: \.attempt) else { return }
            say.problem(problem)
            if !isOwn { say.progress("the next attempt is at \(RFC3339.text(await keeper.nextAttempt()))") }
        }
    }

    /// Gives each server its copy; why one could not be given it.
    private func handOut(_ stored: CertificateStore.Stored) -> CertificateFailure? {
        let (changed, failure) = keeper.handOut(stored)
        for service in changed { say.progress("\(service.rawValue) gets a new certificate") }
        let problem = failure.map(StatusReport.ProblemReport.init)
        let isNews = isNews(problem, as: \.copies)
        if let problem, isNews { say.problem(problem) }
        return failure
    }

    /// Keeps a problem, or that there is none; whether it was another one before.
    private func isNews(_ problem: StatusReport.ProblemReport?, as kind: WritableKeyPath<Problems, StatusReport.ProblemReport?>) -> Bool {
        problems.withLock { problems in
            defer { problems[keyPath: kind] = problem }
            return problems[keyPath: kind] != problem
        }
    }

    /// false when they have changed in a way that takes another start; nothing else of them matters here.
    private func takeSettings() throws -> Bool {
        let mark = currentSettings.source.mark
        do {
            guard let new = try currentSettings.next(say) else { return false }
            currentSettings.replace(with: new, mark: mark)
        } catch {
            // Said by every server; looked at again when the file changes.
            say.problem(currentSettings.source.explain(error).0)
            currentSettings.replace(with: currentSettings.value, mark: mark)
        }
        return true
    }

    func answer(_ request: ControlRequest) async -> ControlAnswer {
        switch (request.method, request.path) {
        case ("GET", "/status"): return ControlAnswer(200, await status())
        case ("GET", let path) where path.hasPrefix(StatusReport.healthPath): return await status().health(askedAs: path)
        case ("POST", "/certificate/renew"): return await renew()
        default:
            return .refusal(
                404, .init(error: "there are only GET /status, GET /health/certificates and POST /certificate/renew in the certificates' container"))
        }
    }

    private func renew() async -> ControlAnswer {
        guard await keeper.permitsImpatience else {
            return .refusal(
                409,
                .init(
                    error: "it is too early for another attempt", cause: "the last attempts failed, and certificate authorities count failures",
                    tryThis: "wait for the next attempt, at \(RFC3339.text(await keeper.nextAttempt()))"))
        }
        let (number, isUnderWay) = keeper.work.expected
        if !isUnderWay { await wishes.ring(.renew) }
        return ControlAnswer(202, AttemptAnswer(attempt: number))
    }

    private func status() async -> StatusReport {
        let certificate = await keeper.report()
        let hasOne = certificate.serial != nil
        var report = StatusReport(
            healthy: hasOne, phase: hasOne ? .running : .starting, services: [], certificate: certificate, in: currentSettings, of: locations)
        if let problem = problems.withLock({ $0.copies }) {
            report.problems.append(.init(matter: StatusReport.certificateCopies, problem: problem))
            report.healthy = false
        }
        return report
    }
}

extension CertificateKeeper {
    /// Gives each server that is mounted here its copy, readable for the group of the folder; one that cannot be given it does not keep the others
    /// from theirs.
    ///
    /// - Returns: the servers that have another one than before, and why one could not be given it.
    nonisolated func handOut(_ stored: CertificateStore.Stored) -> (changed: [Service], failure: CertificateFailure?) {
        var (changed, failure) = ([Service](), CertificateFailure?.none)
        for service in [Service.prosody, .nginx, .coturn] {
            let folder = jobs.locations.run(of: service) + "/tls"
            var facts = stat()
            guard stat(folder, &facts) == 0 else { continue }
            do throws(StoreError) {
                if try store.deploy(stored, to: folder, reader: Account(user: geteuid(), group: facts.st_gid)) { changed.append(service) }
            } catch {
                failure = failure ?? CertificateFailure(error)
            }
        }
        return (changed, failure)
    }
}
