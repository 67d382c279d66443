import CertificateStore
import ChatServer
import DurableFiles
import Portal
import ServerConfigs
import Settings
import Supervision
import Synchronization

extension Parts {
    /// The files of the servers that do not wait for the certificate: rendered, accepted by their own checkers, put in place.
    func prepareServers() async throws {
        say.progress("preparing \(settings.domain)")
        begin("preparing")
        try await put([.prosody, .coturn])
    }

    /// Port 80 only: challenges of the certificate authority, and a page that says what is going on.
    func showGettingReady() async throws {
        phase.value = .gettingReady
        try await put([.nginx])
        household.start(.nginx)
        try await household.waitUntilReady([.nginx], deadline: .seconds(30))
        // Port 80 serves, and how it goes on may take days: the machine's own start does not wait for that.
        systemd.ready()
    }

    /// Every server, with the certificate that is in place now.
    func startServers() async throws {
        let isServing = phase.isServing
        phase.value = .serving
        pageNews.ring()
        // Prosody takes the longest: nothing that others need is done before it is on its way.
        household.start(.prosody)
        try [portalFile(for: settings)].write(for: serverAccount)
        if let problem = noteChatEndpoint() { say.problem(currentSettings.source.explain(problem).0) }
        household.start(.portal)
        if settings.turn.enabled { household.start(.coturn) }
        try await put([.nginx])
        if isServing {
            household.start(.nginx)
        } else if let error = await household.reload(.nginx) {
            throw error
        }
        begin("starting the servers")
        try await waitUntilEverythingServes()
    }

    /// A server that does not come up is named and tried again; the others stay up meanwhile, and the administrators hear of it.
    private func waitUntilEverythingServes() async throws {
        haveStarted.withLock { $0 = true }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await self.lookAround() }
            tasks.addTask { try await self.nameWhatDoesNotServe() }
            try await tasks.next()
            tasks.cancelAll()
        }
    }

    private func nameWhatDoesNotServe() async throws {
        var named: String?
        while let error = await household.problem(deadline: .seconds(60)) {
            guard case .notReady(let service, _, let problem) = error else { throw error }
            // One that has failed says so at once, again and again.
            if named != service {
                say.problem(
                    .init(
                        error: "\(service) does not become ready", cause: problem.map { "\($0)" },
                        tryThis: "snikket logs \(service); it is started again meanwhile, and at once by snikket reload"))
                named = service
            }
            try await Task.sleep(for: .seconds(1))
        }
    }

    /// Tells commands where the chat server's API is. On a full disk they do not find it, and people can talk all the same.
    @discardableResult
    func noteChatEndpoint() -> FileError? {
        do throws(FileError) {
            try ChatEndpoint(domain: settings.domain, port: settings.ports.internalHTTP).write(to: chatEndpoint)
            return nil
        } catch {
            return error
        }
    }

    /// Renders, lets the servers' own checkers accept, and writes what differs.
    private func put(_ services: [Service]) async throws {
        let facts = facts
        var files: [RenderedFile] = []
        for service in services { files += try facts.files(of: service) }
        try await Acceptance(facts: facts, programs: programs, account: serverAccount).check(files)
        try files.write(for: serverAccount)
    }

    /// The portal's file, which no server's checker knows.
    func portalFile(for settings: Settings) -> RenderedFile {
        let configuration = PortalConfiguration(settings: settings, locations: locations, apiSecret: portalSecret)
        return RenderedFile(
            path: ServiceSpecifications.portalFile(in: locations), text: String(decoding: configuration.encoded(), as: UTF8.self), service: .portal,
            isSecret: true)
    }

    /// Who a server runs as, and so has to read its files.
    var serverAccount: @Sendable (Service) -> Account? {
        { [accounts] service in accounts[service] }
    }
}
