import DurableFiles
import Glibc
import Lifecycle
import Logging
import NIOCore
import NIOPosix
import ProcessMemory
public import ServiceLifecycle
public import Settings
import Synchronization
import UnixSignals

/// The story of `snikket serve ROLE`: one part of the appliance as the first process of a container of its own.
///
/// What `snikket up` does for all of them, each does for itself: it renders its server's files from the settings, has them accepted, starts
/// and watches the server, and takes over what changes. Nobody tells it to, so nobody has to have power over containers.
public struct Serve: ServiceLifecycle.Service {
    private let part: any ContainerPart
    private let socket: ControlSocket
    private let isToStartAgain = Flag()

    /// - Parameters:
    ///   - programs: the folder with the programs `snikket` and `snikket-certs`.
    ///   - findRelayAddress: finds the address that the internet knows this machine under, when it is behind NAT.
    /// - Throws: ``ApplianceError``, or what a room has against the container: a missing program or secret.
    public init(
        _ role: Role, settings: Settings, from source: SettingsSource, locations: Locations, programs: String,
        findRelayAddress: @escaping @Sendable () async -> String? = { nil }
    ) throws {
        useOneHeap()
        IdleSignals.takeNoNotice()
        Printer.shared.takeLogs()
        umask(0o022)
        // As for `snikket up`: every further thread is memory.
        NIOSingletons.groupLoopCountSuggestion = 1
        NIOSingletons.blockingPoolThreadCountSuggestion = 1
        try Self.checkVersion(locations)
        do throws(FileError) {
            try Folder.make(locations.control, mode: 0o700)
            try Folder.make(locations.logs, mode: 0o700)
        } catch {
            throw ApplianceError.file(error)
        }
        let current = CurrentSettings(settings, from: source)
        let part: any ContainerPart =
            switch role {
            case .server(let service): try ContainerServer(service, current, locations, programs: programs, findRelayAddress: findRelayAddress)
            case .certificates: try ContainerCertificates(current, locations, programs: programs)
            }
        self.part = part
        socket = ControlSocket(path: locations.controlSocket, group: MultiThreadedEventLoopGroup.singleton) { await part.answer($0) }
    }

    /// Whoever has rendered the containers has brought the state to its own version, and put that beside the settings.
    static func checkVersion(_ locations: Locations) throws {
        let version = StateVersion(of: File.folder(of: locations.configuration))
        try version.check()
        let found = try version.found()
        guard found == version.newest else { throw ApplianceError.renderedByOlder(found: found, needed: version.newest) }
    }

    /// Returns when everything has ended in order, after SIGTERM or Ctrl-C. When settings have changed that take another start, the program begins
    /// anew in the same process: whether an engine starts a container again that has ended depends on those that it needs.
    public func start() async throws {
        defer { Printer.shared.settle() }
        let service = ServiceGroupConfiguration.ServiceConfiguration(service: self, successTerminationBehavior: .gracefullyShutdownGroup)
        try await ServiceGroup(
            configuration: .init(services: [service], gracefulShutdownSignals: [.sigterm, .sigint], logger: Logger(label: "snikket"))
        ).run()
        guard isToStartAgain.value.load(ordering: .relaxed) else { return }
        Printer.shared.settle()
        execv("/proc/self/exe", CommandLine.unsafeArgv)
        throw ApplianceError.file(FileError(.read, "/proc/self/exe", errno: errno))
    }

    /// What the service group runs.
    public func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                do {
                    try await socket.run()
                } catch {
                    if !Task.isCancelled { throw error }
                }
            }
            tasks.addTask {
                do {
                    try await cancelWhenGracefulShutdown { try await part.live() }
                    isToStartAgain.value.store(!Task.isShuttingDownGracefully, ordering: .relaxed)
                } catch {
                    if !Task.isShuttingDownGracefully { throw error }
                }
            }
            defer { tasks.cancelAll() }
            try await tasks.next()
        }
    }
}

/// Something that is so or not, for several to see.
private final class Flag: Sendable {
    let value = Atomic(false)
}

/// What a container is there for.
protocol ContainerPart: Sendable {
    /// Goes on until cancelled; returns when the settings have changed in a way that takes another start.
    func live() async throws
    /// Answers a request on the control socket.
    func answer(_ request: ControlRequest) async -> ControlAnswer
}

extension HeldLock {
    /// The lock of the one container that writes what lies beside it.
    static func onlyOne(in folder: String, _ locations: Locations) throws -> HeldLock {
        guard let lock = try HeldLock(folder + "/lock") else { throw ApplianceError.alreadyRunning(state: locations.state, process: nil) }
        return lock
    }
}

extension CurrentSettings {
    /// The settings, read again; nil when they have changed in a way that takes another start, which is announced.
    func next(_ say: Announcer) throws -> Settings? {
        let new = try source.read()
        let fixed = new.optionsNeedingRestart(since: value)
        guard !fixed.isEmpty else { return new }
        say.progress("\(fixed.joined(separator: ", ")) has changed: starting again")
        return nil
    }
}
