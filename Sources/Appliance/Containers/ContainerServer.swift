import ChatServer
import DurableFiles
import Glibc
import Health
import Lifecycle
import Portal
import ProcessMemory
import ServerConfigs
import Settings
import Supervision
import Synchronization

/// A server in a container of its own.
final class ContainerServer: ContainerPart {
    let service: Service
    let currentSettings: CurrentSettings
    let locations: Locations
    let programs: ServerPrograms
    let household: Household
    let say = Announcer()
    private let secrets: Secrets
    private let phase = CurrentPhase()
    private let chat: Prosody
    private let standing = Mutex(StatusReport.Phase.starting)
    private let hasIPv6 = ServerFacts.machineHasIPv6()
    let findRelayAddress: @Sendable () async -> String?
    /// That address, for coturn.
    let relayAddress = Mutex<String?>(nil)
    /// What the settings have against them that are not in force.
    let refusal = Mutex(RefusedSettings())
    /// What it writes is not to be pulled away from under it (``Restorer/containerLocks``); nil for those that write nothing.
    private let lock: HeldLock?

    init(
        _ service: Service, _ settings: CurrentSettings, _ locations: Locations, programs folder: String,
        findRelayAddress: @escaping @Sendable () async -> String?
    ) throws {
        self.service = service
        self.findRelayAddress = findRelayAddress
        self.locations = locations
        currentSettings = settings
        programs = try ServerPrograms.installed()
        // Only what this server shares with another is mounted here.
        secrets = try Secrets.present(in: locations)
        do throws(FileError) {
            try Folder.make(locations.run(of: service), mode: 0o711)
            try Folder.make(locations.work(of: service), mode: 0o700)
        } catch {
            throw ApplianceError.file(error)
        }
        lock = service == .prosody || service == .portal ? try .onlyOne(in: locations.work(of: service), locations) : nil
        let value = settings.value.inContainer(of: service)
        let facts = ServerFacts(settings: value, locations: locations, secrets: secrets, hasIPv6: hasIPv6, chatSocket: locations.chatSocket)
        chat = Prosody(port: value.ports.internalHTTP, domain: value.domain, secret: secrets.api)
        let specifications = ServiceSpecifications(
            facts: facts, programs: programs, portal: folder + "/snikket", accounts: .own, chat: chat, probes: ProbeRecords(),
            verdicts: DeepVerdicts(), isServing: { [phase] in phase.isServing })
        guard var specification = specifications.all[service] else { throw ApplianceError.switchedOff(service.rawValue) }
        specification.ports = value.ports(neededBy: service)
        // The engine keeps what is printed; the file is for `snikket logs` in here.
        let sink = LogSink(folder: locations.logs, service: service.rawValue, limit: 1 << 20, forward: say.serverLine)
        household = Household([service: SupervisedService(specification, sink: sink)])
    }

    /// What the server's files follow from with these settings.
    func facts(for settings: Settings) -> ServerFacts {
        ServerFacts(
            settings: settings.inContainer(of: service), locations: locations, secrets: secrets, phase: phase.value, hasIPv6: hasIPv6,
            publicAddress: relayAddress.withLock { $0 }, chatSocket: locations.chatSocket)
    }

    /// What the server reads.
    func files(for settings: Settings) throws -> [RenderedFile] {
        let facts = facts(for: settings)
        guard service == .portal else { return try facts.files(of: service) + (service == .nginx ? [facts.waitingPage(progress)] : []) }
        var configuration = PortalConfiguration(settings: settings, locations: locations, apiSecret: secrets.api)
        configuration.apiSocket = locations.chatSocket
        let text = String(decoding: configuration.encoded(), as: UTF8.self)
        return [RenderedFile(path: ServiceSpecifications.portalFile(in: locations), text: text, service: .portal, isSecret: true)]
    }

    /// The other parts are in other containers: all that is known here is whether there is a certificate.
    private var progress: Progress {
        Progress(isStart: !phase.isServing, steps: phase.isServing ? [] : [.init(.certificate, .underWay(nil))])
    }

    /// Which certificate is in place; nil while there is none.
    var certificateMark: String? { SymbolicLink.target(of: locations.run(of: service) + "/tls/current") }

    // MARK: - Its life

    func live() async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await self.household.run() }
            var ending: Result<Void, any Error> = .success(())
            do { try await serve() } catch { ending = .failure(error) }
            standing.withLock { $0 = .stopping }
            // Cancelled or not, it ends in order.
            await Task { await household.stop() }.value
            tasks.cancelAll()
            try ending.get()
        }
    }

    private func serve() async throws {
        if service == .coturn, let address = await findRelayAddress() { relayAddress.withLock { $0 = address } }
        phase.value = certificateMark == nil ? .gettingReady : .serving
        try await put()
        // Without a certificate nginx serves the challenge and a page that says so; the others have nothing to say yet.
        if service == .nginx || service == .portal { household.start(service) }
        if phase.value == .gettingReady, service != .portal {
            guard try await waitForCertificate() else { return }
            phase.value = .serving
            try await put()
            if service == .nginx { _ = await household.reload(.nginx) }
        }
        let certificate = certificateMark
        if service != .nginx, service != .portal { household.start(service) }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await self.announce() }
            try await keepWatch(over: certificate)
            tasks.cancelAll()
        }
    }

    /// Renders, lets the server's own checker accept, and writes what differs.
    private func put() async throws {
        let files = try files(for: currentSettings.value)
        if service != .portal { try await Acceptance(facts: facts(for: currentSettings.value), programs: programs).check(files) }
        try files.write()
    }

    /// Until there is one. false when the settings have changed meanwhile: then everything begins anew.
    private func waitForCertificate() async throws -> Bool {
        say.progress("waiting for the certificate")
        while certificateMark == nil {
            try await Task.sleep(for: Self.pause, tolerance: .milliseconds(500))
            if currentSettings.isFileChanged { return false }
        }
        return true
    }

    /// How often a look is taken at what may have changed: two system calls.
    static let pause = Duration.seconds(2)

    /// Says that it serves, and why it does not.
    private func announce() async throws {
        while let problem = await household.problem(of: [service], deadline: .seconds(60)) {
            try Task.checkCancellation()
            say.problem(.init(error: "\(service.rawValue) does not serve", cause: "\(problem)", tryThis: "it is started again meanwhile"))
            try await Task.sleep(for: .seconds(30))
        }
        standing.withLock { $0 = .running }
        releaseStartupPages()
        say.progress("\(service.rawValue) serves")
        if service == .nginx { say.result("ready \(currentSettings.value.webURL)/") }
        guard service == .prosody else { return }
        // For commands in this container.
        let endpoint = ChatEndpoint(domain: currentSettings.value.domain, port: currentSettings.value.ports.internalHTTP)
        try? endpoint.write(to: locations.run + "/" + ChatEndpoint.fileName)
        await say.firstInvitation(to: chat, explaining: currentSettings.source)
    }

    // MARK: - What is asked

    func answer(_ request: ControlRequest) async -> ControlAnswer {
        switch (request.method, request.path) {
        case ("GET", "/status"): return ControlAnswer(200, await status())
        case ("GET", let path) where path.hasPrefix(StatusReport.healthPath): return await status().health(askedAs: path)
        default: return .refusal(404, .init(error: "there are only GET /status and GET /health/NAME in a container of one server"))
        }
    }

    private func status() async -> StatusReport {
        let services = await household.snapshots().map(StatusReport.ServiceReport.init)
        let phase = standing.withLock { $0 }
        var report = StatusReport(
            healthy: phase == .running && services.allSatisfy { $0.state == "ready" }, phase: phase, services: services, in: currentSettings,
            of: locations)
        if report.settingsChanged, let problem = refusal.withLock({ $0.problem }) {
            report.problems.append(.init(matter: StatusReport.settings, problem: problem))
        }
        return report
    }
}

extension Settings {
    /// The settings as they are for one server in its container: on a network of its own it has addresses of its own.
    fileprivate func inContainer(of service: Service) -> Settings {
        guard containers.network == .bridge, service != .coturn else { return self }
        var settings = self
        settings.listenAddresses = []
        return settings
    }
}
