import CertificateStore
import DurableFiles
import Glibc
import Lifecycle
import ProcessMemory
import Settings

/// The certificates in a container of their own: gets them, renews them, and gives each server its copy in a folder that both have mounted.
final class ContainerCertificates: ContainerPart {
    private let currentSettings: CurrentSettings
    private let locations: Locations
    private let keeper: CertificateKeeper
    private let wishes = Doorbell<CertificateWish>()
    private let say = Announcer()
    private let lock: HeldLock

    init(_ settings: CurrentSettings, _ locations: Locations, programs: String) throws {
        currentSettings = settings
        self.locations = locations
        lock = try .onlyOne(in: locations.responder, locations)
        keeper = try CertificateKeeper(settings: settings.value, locations: locations, program: programs + "/snikket-certs", accounts: .own)
    }

    func live() async throws {
        // Somebody who starts it again has probably mended what was wrong.
        var isDue = (try? keeper.usable()) == nil ? await keeper.permitsImpatience : currentSettings.value.certificates.isOwn
        while true {
            if isDue { await obtain() }
            try Task.checkCancellation()
            if let stored = try? keeper.usable() { handOut(stored) }
            releaseStartupPages()
            let pause = await keeper.nextStep() - Int(time(nil))
            let wish = try await wishes.wait(atMost: .seconds(min(max(pause, 1), 30)))
            if currentSettings.isFileChanged, try takeSettings() == false { return }
            await keeper.lookAtRenewalWindow()
            let isWished = if case .renew = wish { true } else { false }
            isDue = isWished ? true : currentSettings.value.certificates.isOwn ? true : await keeper.nextAttempt() <= time(nil)
        }
    }

    private func obtain() async {
        do throws(CertificateFailure) {
            try await keeper.work.during { () async throws(CertificateFailure) in
                let stored = try await keeper.obtain { [say] in say.certificate($0) }
                for service in try keeper.handOut(stored) { say.progress("\(service.rawValue) gets a new certificate") }
            }
        } catch {
            guard !Task.isCancelled else { return }
            say.problem(.init(error))
            say.progress("the next attempt is at \(RFC3339.text(await keeper.nextAttempt()))")
        }
    }

    /// A copy may be missing: of a server that has come later.
    private func handOut(_ stored: CertificateStore.Stored) {
        do throws(CertificateFailure) {
            try keeper.handOut(stored)
        } catch {
            say.problem(.init(error))
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
        let isGood = certificate.serial != nil
        return StatusReport(
            healthy: isGood, phase: isGood ? .running : .starting, services: [], certificate: certificate, in: currentSettings, of: locations)
    }
}

extension CertificateKeeper {
    /// Gives each server that is mounted here its copy, readable for the group of the folder.
    ///
    /// - Returns: the servers that have another one than before.
    @discardableResult
    nonisolated func handOut(_ stored: CertificateStore.Stored) throws(CertificateFailure) -> [Service] {
        var changed: [Service] = []
        for service in [Service.prosody, .nginx, .coturn] {
            let folder = jobs.locations.run(of: service) + "/tls"
            var facts = stat()
            guard stat(folder, &facts) == 0 else { continue }
            do throws(StoreError) {
                if try store.deploy(stored, to: folder, reader: Account(user: geteuid(), group: facts.st_gid)) { changed.append(service) }
            } catch {
                throw CertificateFailure(error)
            }
        }
        return changed
    }
}
