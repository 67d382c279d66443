import CertificateStore
import ChatServer
import Glibc
import Health
import Lifecycle
import NIOCore
import NIOPosix
import ServerConfigs
import ServiceLifecycle
import Settings
import Supervision
import Synchronization

/// The parts of a running appliance, put together. What they do, step by step, is in `Parts+STEP.swift`.
final class Parts: Sendable {
    let currentSettings: CurrentSettings
    /// The settings that are in force.
    var settings: Settings { currentSettings.value }
    let isReloading = Mutex(false)
    /// The servers that may run with other files than are in place: what a reload could not bring to its end.
    let unsettled = Mutex<Servers>([])
    let wasToldOfChange = Mutex(false)
    let locations: Locations
    let accounts: Accounts
    let programs: ServerPrograms
    let versions: ServerVersions
    /// Seconds since 1970.
    let startedAt = Double(time(nil))
    let say = Announcer()
    let systemd = SystemdNotification()
    let statusNews = News()
    /// What is being done before everything serves, in words.
    let step = Mutex("preparing")
    let household: Household
    let keeper: CertificateKeeper
    let chat: Prosody
    /// What nginx is to do, as it is now.
    let phase = CurrentPhase()
    /// What somebody wishes about the certificate.
    let wishes = Doorbell<CertificateWish>()
    /// The servers that were started again for a certificate.
    let restarted = Mutex<Set<String>>([])
    /// The attempt whose certificate could not be handed out to every server.
    let withoutCopies = Mutex<Int?>(nil)
    let messages: AdminMessages
    /// What is wrong with the machine or the appliance as a whole.
    let matters = OpenMatters()
    /// The newer release that has not come by itself.
    let waitingRelease = Mutex<WaitingRelease?>(nil)
    /// What came of every probe.
    let probes = ProbeRecords()
    let verdicts = DeepVerdicts()
    let deepLook: DeepLook
    /// Rung when the page that people see meanwhile has something else to say.
    let pageNews = News()
    let standing = Mutex(StatusReport.Phase.starting)
    /// Whether every server has been started once, if not with success.
    let haveStarted = Mutex(false)
    /// The program `snikket`, for what is done by a process of its own.
    let program: String
    private let lock: RunLock
    private let secrets: Secrets
    /// Where commands find the chat server's API while it runs.
    var chatEndpoint: String { locations.run + "/" + ChatEndpoint.fileName }
    let group: any EventLoopGroup
    private let hasIPv6 = ServerFacts.machineHasIPv6()
    /// Whether nginx has the HTTP port: another program may, when the settings can do without.
    let hasHTTPPort = Mutex(true)
    /// Finds the address that the internet knows this machine under; nil when it has that itself, or it is not to be found.
    let findRelayAddress: @Sendable () async -> String?
    /// That address.
    let relayAddress = Mutex<String?>(nil)

    init(
        settings: Settings, from source: SettingsSource, locations: Locations, programs folder: String, accounts: Accounts, lock: RunLock,
        findRelayAddress: @escaping @Sendable () async -> String?
    ) throws {
        self.findRelayAddress = findRelayAddress
        // One event loop is plenty for probes and the control socket; every further one is a thread and its memory.
        NIOSingletons.groupLoopCountSuggestion = 1
        NIOSingletons.blockingPoolThreadCountSuggestion = 1
        currentSettings = CurrentSettings(settings, from: source)
        self.locations = locations
        self.accounts = accounts
        program = folder + "/snikket"
        self.lock = lock
        try StateVersion(of: locations.state).bringUpToDate()
        programs = try ServerPrograms.installed()
        versions = ServerVersions(programs)
        secrets = try Secrets.loadOrCreate(in: locations)
        chat = Prosody(port: settings.ports.internalHTTP, domain: settings.domain, secret: secrets.api)
        var channels: [String: any AdministratorChannel] = ["chat": ChatChannel(chat: chat)]
        if let server = settings.mailServer {
            let program = try CertificateProgram(path: folder + "/snikket-certs", account: accounts.certificates)
            channels["mail"] = MailChannel(server: server, settings: settings, program: program)
        }
        messages = AdminMessages(path: locations.state + "/messages.json", channels: channels)
        group = MultiThreadedEventLoopGroup.singleton
        keeper = try CertificateKeeper(
            settings: settings, locations: locations, program: folder + "/snikket-certs", accounts: accounts)
        deepLook = DeepLook(
            program: keeper.program, records: probes, verdicts: verdicts,
            missingModules: { [chat] in try await chat.missingModules(within: .seconds(5)) }, report: Self.report)
        let specifications = ServiceSpecifications(
            facts: ServerFacts(settings: settings, locations: locations, secrets: secrets, hasIPv6: hasIPv6),
            programs: programs, portal: program, accounts: accounts, chat: chat, probes: probes, verdicts: verdicts,
            isServing: { [phase] in phase.isServing })
        household = Household(
            Dictionary(
                uniqueKeysWithValues: specifications.all.map { service, specification in
                    var specification = specification
                    specification.ports = settings.ports(neededBy: service)
                    let forward = Announcer.serverLines(of: specification.name)
                    return (
                        service,
                        SupervisedService(specification, sink: LogSink(folder: locations.logs, service: specification.name, forward: forward))
                    )
                }))
    }

    /// What the servers' files follow from, as things are now.
    var facts: ServerFacts { facts(for: settings) }

    /// What the servers' files would follow from with these settings.
    func facts(for settings: Settings) -> ServerFacts {
        ServerFacts(
            settings: settings, locations: locations, secrets: secrets, phase: phase.value, hasIPv6: hasIPv6,
            hasHTTPPort: hasHTTPPort.withLock { $0 }, publicAddress: relayAddress.withLock { $0 })
    }

    /// The portal's file; its secret is the chat server's.
    var portalSecret: String { secrets.api }

    /// Runs the servers and the control socket around a story, and ends them in order when it ends or is told to.
    func whileRunning(_ story: @Sendable @escaping () async throws -> Void) async throws {
        var ending: Result<Void, any Error>?
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await self.serveControlSocket() }
            tasks.addTask { try await self.keepPage() }
            if settings.metricsListen != nil { tasks.addTask { try await self.serveMetrics() } }
            if reloadsOnHangup { tasks.addTask { try await self.reloadOnHangup() } }
            if systemd.isHeard { tasks.addTask { await self.keepStatusLine() } }
            if let interval = SystemdNotification.watchdogInterval() { tasks.addTask { try await self.answerWatchdog(every: interval) } }
            tasks.addTask { try await Self.untilShutdown(story) }
            await withDiscardingTaskGroup { servers in
                servers.addTask { await self.household.run() }
                // Whichever ends first, the story or the control socket, is the end of everything.
                let result = await tasks.nextResult()
                standing.withLock { $0 = .stopping }
                systemd.stopping()
                systemd.status("stopping")
                say.progress("stopping")
                await household.stop()
                unlink(chatEndpoint)
                servers.cancelAll()
                ending = result
            }
            tasks.cancelAll()
            try ending?.get()
        }
    }

    /// On a terminal SIGHUP says that the person has gone; elsewhere that the settings are to be read again.
    var reloadsOnHangup: Bool { isatty(STDIN_FILENO) != 1 }

    private func serveControlSocket() async throws {
        let socket = ControlSocket(path: locations.controlSocket, group: group) { await self.answer($0) }
        do {
            try await socket.run()
        } catch {
            if !Task.isCancelled { throw error }
        }
    }

    private static func untilShutdown(_ story: @Sendable @escaping () async throws -> Void) async throws {
        do {
            try await cancelWhenGracefulShutdown { try await story() }
        } catch {
            // Told to stop: whatever was being waited for ends with its own error then.
            if !Task.isShuttingDownGracefully { throw error }
        }
    }
}

/// What nginx is to do, as it is now: changed by the story, read by probes.
final class CurrentPhase: Sendable {
    private let phase = Mutex(ServerFacts.Phase.gettingReady)

    var value: ServerFacts.Phase {
        get { phase.withLock { $0 } }
        set { phase.withLock { $0 = newValue } }
    }

    var isServing: Bool { value == .serving }
}
