import Glibc
import Lifecycle
import Logging
import ProcessMemory
public import ServiceLifecycle
public import Settings
import UnixSignals

/// The story of `snikket up`: from validated settings to a service that runs until it is told to stop.
public struct Up: ServiceLifecycle.Service {
    let appliance: Parts

    /// - Parameters:
    ///   - source: where the settings are read again when that is wished.
    ///   - programs: the folder with the programs `snikket` and `snikket-certs`.
    ///   - accounts: who each server runs as.
    ///   - findRelayAddress: finds the address that the internet knows this machine under, when it is behind NAT.
    /// - Throws: ``ApplianceError``, or what a room has against the machine: a missing program, a port in use.
    public init(
        settings: Settings, from source: SettingsSource, locations: Locations, programs: String, accounts: Accounts,
        findRelayAddress: @escaping @Sendable () async -> String? = { nil }
    ) throws {
        useOneHeap()
        IdleSignals.takeNoNotice()
        Printer.shared.takeLogs()
        // Modes are said where files are made; whoever started this may have said something narrower.
        umask(0o022)
        try StateVersion(of: locations.state).check()
        let lock = try RunLock(locations)
        try Ground.prepare(locations, accounts: accounts)
        appliance = try Parts(
            settings: settings, from: source, locations: locations, programs: programs, accounts: accounts, lock: lock,
            findRelayAddress: findRelayAddress)
    }

    /// Returns when everything has ended in order, after SIGTERM or Ctrl-C.
    public func start() async throws {
        defer { Printer.shared.settle() }
        try await appliance.checkPorts()
        try await ServiceGroup(
            services: [self], gracefulShutdownSignals: [.sigterm, .sigint] + (appliance.reloadsOnHangup ? [] : [.sighup]),
            logger: Logger(label: "snikket")
        ).run()
    }

    /// What the service group runs.
    public func run() async throws {
        try await appliance.whileRunning {
            try await live()
        }
    }

    /// A line a step.
    private func live() async throws {
        try await appliance.prepareServers()
        if try await appliance.useStoredCertificate() == false {
            try await appliance.showGettingReady()
            try await appliance.obtainCertificate()
        }
        try await appliance.startServers()
        await appliance.lookAtPorts()
        appliance.announceReady()
        await appliance.inviteFirstAdmin()
        releaseStartupPages()
        try await appliance.keepWatch()
    }
}
