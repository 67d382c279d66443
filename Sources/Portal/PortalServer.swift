public import ChatServer
import Glibc
import Hummingbird
import LocalHTTP
public import Logging
import NIOCore
import NIOPosix
import ProcessMemory
public import ServiceLifecycle
import UnixSignals

/// The web pages, on a Unix socket behind nginx.
///
/// Everything runs on one event loop thread: pages are small, and a thread costs memory.
public struct PortalServer: Service {
    private let configuration: PortalConfiguration
    private let routes: PortalRoutes
    private let logger: Logger
    private let group: MultiThreadedEventLoopGroup

    /// - Parameters:
    ///   - configuration: what `snikket up` wrote.
    ///   - chatServer: accounts and invitations; nil for the one that the configuration tells of.
    ///   - logger: gets failures, never tokens, names or passwords.
    /// - Throws: ``PortalError`` when a page, a text or a style is missing or wrong: nothing is left to fail later.
    public init(_ configuration: PortalConfiguration, chatServer: (any ChatServer)? = nil, logger: Logger) throws(PortalError) {
        self.configuration = configuration
        self.logger = logger
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let prosody = LocalHTTPClient(
            target: configuration.apiSocket.map { .unix(path: $0) } ?? .tcp(host: "127.0.0.1", port: configuration.apiPort),
            hostHeader: configuration.domain, responseLimit: 1 << 20,
            group: group)
        let assets = try StaticFiles(folder: configuration.templates + "/static")
        routes = PortalRoutes(
            configuration: configuration, assets: assets, pages: try Pages(configuration, assets: assets),
            chatServer: chatServer ?? Prosody(client: prosody, secret: configuration.apiSecret), logger: logger)
    }

    /// Listens until the service group shuts down or the task is cancelled.
    public func run() async throws {
        let path = configuration.socket
        let logger = logger
        let application = Application(
            responder: routes.responder(),
            // Header fields come from nginx, which has bounded them; a body of ours is bounded where it is read.
            server: .http1(configuration: .init(idleTimeout: .seconds(75), httpDecoderConfiguration: .init(maxHeaderListSize: 16_384))),
            configuration: ApplicationConfiguration(address: .unixDomainSocket(path: path), serverName: nil),
            onServerRunning: { _ in
                // nginx has another user; the folder around the socket says who can come here.
                if chmod(path, 0o666) != 0 { logger.error("cannot open the socket to nginx", metadata: ["errno": "\(errno)"]) }
                releaseStartupPages()
            },
            eventLoopGroupProvider: .shared(group),
            logger: logger)
        do {
            try await application.run()
        } catch {
            await end()
            throw error
        }
        await end()
    }

    private func end() async {
        unlink(configuration.socket)
        // Only fails when the loop has ended already.
        try? await group.shutdownGracefully()
    }
}

extension PortalServer {
    /// Runs until SIGTERM or SIGINT; requests under way are answered first.
    public func runUntilStopped() async throws {
        let configuration = ServiceGroupConfiguration(
            services: [.init(service: self, successTerminationBehavior: .gracefullyShutdownGroup)],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        try await ServiceGroup(configuration: configuration).run()
    }
}
