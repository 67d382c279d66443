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
        case .prosody: server(.prosody, ready: xmppClients, alive: [xmppClients, xmppServers, api])
        case .nginx: server(.nginx, ready: web, alive: [web])
        case .coturn: facts.settings.turn.enabled ? server(.coturn, ready: stun, alive: [stun]) : nil
        case .portal: portalSpecification
        }
    }

    /// Many times what a household needs, and far from what would bring the machine down: nginx, for one, has 4096 connections at most, each with
    /// a file or another connection beside it.
    private static let limits: [Service: ResourceLimits] = [
        .prosody: .init(openFiles: 16384, processes: 64), .coturn: .init(openFiles: 16384, processes: 1024),
        .portal: .init(openFiles: 4096, processes: 256), .nginx: .init(openFiles: 16384, processes: 64),
    ]

    private typealias Check = @Sendable () async throws -> Void

    private func server(_ service: Service, ready: @escaping Check, alive: [Check?]) -> ServiceSpecification? {
        guard let command = facts.command(for: service, programs: programs) else { return nil }
        var specification = ServiceSpecification(name: service.rawValue, executable: command.executable, arguments: command.arguments)
        specification.environment.merge(command.environment) { $1 }
        specification.account = accounts[service]
        specification.limits = Self.limits[service] ?? ResourceLimits()
        specification.stopSignal = ServiceSignal(rawValue: command.stopSignal) ?? .terminate
        specification.reloadSignal = ServiceSignal(rawValue: command.reloadSignal)
        specification.staleFiles = command.staleFiles
        if service == .nginx {
            specification.capabilities = [.bindService]
            // Its workers would outlive a killed master.
            specification.parentDeathSignal = .terminate
        }
        specification.readiness = .init(check: ready)
        specification.liveness = .init { for check in alive.compactMap({ $0 }) { try await check() } }
        return specification
    }

    private var portalSpecification: ServiceSpecification {
        var specification = ServiceSpecification(
            name: Service.portal.rawValue, executable: portal, arguments: ["portal", "--file", Self.portalFile(in: facts.locations)])
        specification.environment["MALLOC_ARENA_MAX"] = "1"
        specification.account = accounts[.portal]
        specification.limits = Self.limits[.portal] ?? ResourceLimits()
        let probe = HTTPProbe(target: .unix(path: facts.locations.portalSocket), path: "/_health")
        specification.readiness = .init { try await probe.check() }
        specification.liveness = .init { try await probe.check() }
        return specification
    }

    // MARK: - Probes

    /// An address on which the servers listen and that this machine reaches.
    private var address: String { facts.settings.listenAddresses.first ?? "127.0.0.1" }

    private var xmppClients: Check {
        let probe = XMPPProbe(target: .tcp(host: address, port: facts.settings.ports.xmppClient), domain: facts.settings.chatHost, kind: .client)
        return { try await probe.check() }
    }

    private var xmppServers: Check? {
        guard facts.settings.federation else { return nil }
        let probe = XMPPProbe(target: .tcp(host: address, port: facts.settings.ports.xmppServer), domain: facts.settings.chatHost, kind: .server)
        return { try await probe.check() }
    }

    private var api: Check {
        { [chat] in try await chat.ping() }
    }

    private var stun: Check {
        let probe = STUNProbe(address: address, port: facts.settings.ports.turn)
        return { try await probe.check() }
    }

    /// nginx's own socket says that its event loop turns; once there is a certificate, the HTTPS port has to answer too.
    private var web: Check {
        let loop = HTTPProbe(target: .unix(path: facts.healthSocket), path: "/_health")
        let https = TLSProbe(target: .tcp(host: address, port: facts.settings.ports.https), name: facts.settings.domain)
        return { [isServing] in
            try await loop.check()
            if isServing() { try await https.check() }
        }
    }
}
