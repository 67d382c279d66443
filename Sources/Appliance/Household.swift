import Settings
import Supervision

/// The servers that belong together: started when their turn has come, stopped in order.
final class Household: Sendable {
    private let services: [Service: SupervisedService]
    private let turns = AsyncStream.makeStream(of: Service.self)

    /// Who hands what people want on to whom. At the start nobody waits for that: each comes up alone, and asks the other when somebody comes.
    private static let needs: [Service: [Service]] = [.portal: [.prosody], .nginx: [.portal, .prosody]]

    /// Whoever is needed comes before those that need it.
    private static let startOrder = Service.allCases.reduce(into: []) { place($1, in: &$0) }

    private static func place(_ service: Service, in order: inout [Service]) {
        guard !order.contains(service) else { return }
        for need in needs[service] ?? [] { place(need, in: &order) }
        order.append(service)
    }

    init(_ services: [Service: SupervisedService]) {
        self.services = services
    }

    /// Runs whatever is started, until ``stop()``.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await service in turns.stream {
                guard let service = services[service] else { continue }
                group.addTask { await service.run() }
            }
        }
    }

    /// Starts a server; it goes on by itself from then on.
    func start(_ service: Service) { turns.continuation.yield(service) }

    /// Stops every server, one after the other, first what people come in by, last what keeps their messages; and ends ``run()``.
    func stop() async {
        turns.continuation.finish()
        for service in Self.startOrder.reversed() { await services[service]?.stop() }
        await SupervisedService.endOrphans()
    }

    /// Waits until all of them serve.
    func waitUntilReady(_ names: [Service] = Service.allCases, deadline: Duration) async throws(SupervisionError) {
        for name in names {
            guard let service = services[name] else { continue }
            try await service.waitUntilReady(deadline: deadline)
        }
    }

    /// Waits until every one of them serves; why the first that does not in time does not, or nil when all do.
    func problem(of names: [Service] = Service.allCases, deadline: Duration) async -> SupervisionError? {
        do throws(SupervisionError) {
            try await waitUntilReady(names, deadline: deadline)
            return nil
        } catch {
            return error
        }
    }

    /// Makes a server read its files again; why it does not serve afterwards, or nil when it does.
    func reload(_ service: Service) async -> SupervisionError? {
        do throws(SupervisionError) {
            try await services[service]?.reload()
            return nil
        } catch {
            return error
        }
    }

    /// Stops a server in good order and starts it again; why it does not serve afterwards, or nil when it does.
    func restart(_ service: Service, deadline: Duration = .seconds(60)) async -> SupervisionError? {
        do throws(SupervisionError) {
            try await services[service]?.restart(deadline: deadline)
            return nil
        } catch {
            return error
        }
    }

    /// Has a server use the files that are there now; why it does not serve afterwards, or nil when it does.
    ///
    /// Prosody's modules read most of their options when they are loaded, coturn and the portal read their files at the start only: nginx alone is
    /// reloaded, and drops nobody. Whoever is connected to Prosody resumes (XEP-0198). One that waits for its next start gets it now.
    func useFiles(of service: Service) async -> SupervisionError? {
        let isWaiting = await waiting().contains(service)
        return service == .nginx && !isWaiting ? await reload(service) : await restart(service, deadline: .seconds(30))
    }

    /// What each server runs and is no longer on the disk as it was: an upgrade has replaced it. Only those are in it that have such files.
    func replacedFiles() async -> [Service: Set<String>] {
        var replaced: [Service: Set<String>] = [:]
        for (name, service) in services {
            let files = await service.replacedFiles()
            if !files.isEmpty { replaced[name] = files }
        }
        return replaced
    }

    /// What each server becomes from now on.
    func stateChanges() -> [AsyncStream<ServiceState>] { services.values.map { $0.stateChanges() } }

    /// The servers that failed, and wait until they are tried again.
    func waiting() async -> [Service] {
        await snapshots(withMemory: false).filter(\.state.isPausing).compactMap { Service(rawValue: $0.name) }
    }

    /// How each server is, in the order of ``Service``.
    func snapshots(withMemory: Bool = true) async -> [ServiceSnapshot] {
        var snapshots: [ServiceSnapshot] = []
        for name in Service.allCases {
            if let service = services[name] { snapshots.append(await service.snapshot(withMemory: withMemory)) }
        }
        return snapshots
    }
}
