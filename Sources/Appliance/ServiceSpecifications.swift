import ChatServer
import Health
import LocalHTTP
import ServerConfigs
import Settings
import Supervision

/// How each server is started, watched and stopped.
struct ServiceSpecifications {
    let facts: ServerFacts
    let programs: ServerPrograms
    /// The program `snikket`, whose verb `portal` is the portal.
    let portal: String
    let accounts: Accounts
    let chat: Prosody
    /// Where every answer is remembered.
    let probes: ProbeRecords
    /// What deeper looks have shown.
    let verdicts: DeepVerdicts
    /// Whether nginx is past the 'getting ready' page.
    let isServing: @Sendable () -> Bool

    static func portalFile(in locations: Locations) -> String { locations.run(of: .portal) + "/portal.json" }

    /// Every server that this appliance runs.
    var all: [Service: ServiceSpecification] {
        var all: [Service: ServiceSpecification] = [:]
        for service in Service.allCases { all[service] = specification(of: service) }
        return all
    }

    private func specification(of service: Service) -> ServiceSpecification? {
        switch service {
        case .prosody: server(.prosody, ready: [xmppClients], alive: [xmppClients, api])
        case .nginx: server(.nginx, ready: [loop, https], alive: [loop, https])
        case .coturn: facts.settings.turn.enabled ? server(.coturn, ready: [stun], alive: [stun]) : nil
        case .portal: portalSpecification
        }
    }

    /// Many times what a household needs, and far from what would bring the machine down: nginx, for one, has 4096 connections at most, each with
    /// a file or another connection beside it.
    private static let limits: [Service: ResourceLimits] = [
        .prosody: .init(openFiles: 16384, processes: 64), .coturn: .init(openFiles: 16384, processes: 1024),
        .portal: .init(openFiles: 4096, processes: 256), .nginx: .init(openFiles: 16384, processes: 64),
    ]

    private func server(_ service: Service, ready: [Check], alive: [Check]) -> ServiceSpecification? {
        guard let command = facts.command(for: service, programs: programs) else { return nil }
        var specification = ServiceSpecification(name: service.rawValue, executable: command.executable, arguments: command.arguments)
        specification.environment.merge(command.environment) { $1 }
        specification.account = accounts[service]
        specification.limits = Self.limits[service] ?? ResourceLimits()
        specification.stopSignal = ServiceSignal(rawValue: command.stopSignal) ?? .terminate
        specification.reloadSignal = ServiceSignal(rawValue: command.reloadSignal)
        specification.staleFiles = command.staleFiles
        if facts.usesLowPort(service) { specification.capabilities = [.bindService] }
        if service == .nginx {
            // Somebody is always connected for hours (WebSocket): a stop does not wait for them as a reload does. Apps resume.
            specification.stopDeadline = .seconds(3)
            // Its workers would outlive a killed master.
            specification.parentDeathSignal = .terminate
            specification.beforeReload = { [facts] in
                let probe = try await SuccessorProbe(target: .unix(path: facts.healthSocket), path: "/_health")
                return .init(checkDeadline: .seconds(4), deadline: .seconds(10), check: probe.check)
            }
        }
        watch(&specification, service, ready: ready, alive: alive)
        return specification
    }

    private var portalSpecification: ServiceSpecification {
        var specification = ServiceSpecification(
            name: Service.portal.rawValue, executable: portal, arguments: ["portal", "--file", Self.portalFile(in: facts.locations)])
        specification.environment["MALLOC_ARENA_MAX"] = "1"
        specification.account = accounts[.portal]
        specification.limits = Self.limits[.portal] ?? ResourceLimits()
        watch(&specification, .portal, ready: [portalHealth], alive: [portalHealth])
        return specification
    }

    // MARK: - Probes

    /// A question to a server, under the name by which its answers are remembered.
    private struct Check: Sendable {
        var name: String
        /// Whether there is anything to ask now.
        var isDue: @Sendable () -> Bool = { true }
        var ask: @Sendable () async throws -> Void
    }

    private func watch(_ specification: inout ServiceSpecification, _ service: Service, ready: [Check], alive: [Check]) {
        // That a server does not answer before it is ready is no failure: it is not remembered.
        specification.readiness = .init { [verdicts] in
            for check in ready where check.isDue() { try await check.ask() }
            verdicts.begin(service)
        }
        // Each probe has a deadline of its own, and all are asked at once: this one is for what nobody has thought of.
        specification.liveness = .init(checkDeadline: Self.probeDeadline + .seconds(2)) { [probes, verdicts] in
            try await Self.ask(alive.filter { $0.isDue() }, of: service, probes)
            try verdicts.check(service)
        }
    }

    /// Asks everything at once, so that one that hangs takes no longer than its own deadline.
    private static func ask(_ checks: [Check], of service: Service, _ probes: ProbeRecords) async throws {
        let failure = await withTaskGroup(of: (any Error)?.self) { group in
            for check in checks {
                group.addTask {
                    do {
                        try await probes.timed(service.rawValue, check.name, check.ask)
                        return nil
                    } catch {
                        return FailedProbe(name: check.name, why: error)
                    }
                }
            }
            return await group.reduce(nil) { $0 ?? $1 }
        }
        // Without sockets of our own nothing is known about the server.
        if let failure, OwnSockets.areToBeHad { throw failure }
    }

    /// How long a server may take for an answer. With the pauses of the liveness check one that hangs is noticed within 21 seconds.
    private static let probeDeadline = Duration.seconds(3)

    /// An address on which the servers listen and that this machine reaches.
    private var address: String { facts.settings.ownAddress }

    private var xmppClients: Check {
        let probe = XMPPProbe(target: .tcp(host: address, port: facts.settings.ports.xmppClient), domain: facts.settings.chatHost, kind: .client)
        return Check(name: "c2s") { try await probe.check() }
    }

    private var api: Check {
        Check(name: "api") { [chat] in try await chat.ping(within: Self.probeDeadline) }
    }

    private var stun: Check {
        let probe = STUNProbe(address: address, port: facts.settings.ports.turn)
        return Check(name: "stun") { try await probe.check() }
    }

    private var portalHealth: Check {
        let probe = HTTPProbe(target: .unix(path: facts.locations.portalSocket), path: "/_health")
        return Check(name: "health") { try await probe.check() }
    }

    /// nginx's own socket says that its event loop turns, as long as there is nothing else to ask.
    private var loop: Check { loop(isDue: { [isServing] in !isServing() }) }

    private func loop(isDue: @escaping @Sendable () -> Bool) -> Check {
        let probe = HTTPProbe(target: .unix(path: facts.healthSocket), path: "/_health")
        return Check(name: "loop", isDue: isDue) { try await probe.check() }
    }

    /// Once there is a certificate, the HTTPS port has to answer. Without TLS of our own there is the deep look.
    private var https: Check {
        let settings = facts.settings
        guard settings.webTLS else { return loop(isDue: isServing) }
        let probe = TLSProbe(target: .tcp(host: address, port: settings.ports.https), name: settings.webHost, isAnnounced: settings.proxyProtocol)
        return Check(name: "https", isDue: isServing) { try await probe.check() }
    }
}

/// A probe's bad answer, as it is shown.
private struct FailedProbe: Error, CustomStringConvertible {
    var name: String
    var why: any Error

    var description: String { "\(name): \(why)" }
}
