import NIOCore
import NIOHTTP1
import NIOPosix
import Settings
import Synchronization

/// Offers metrics over HTTP on an address of this machine. Nothing is measured but when somebody asks.
struct MetricsServer: Sendable {
    let address: ListenAddress
    let group: any EventLoopGroup
    let answer: ControlSocket.Answer

    /// More at once than any number of Prometheus servers needs.
    private static let mostConnections = 16
    /// Longer than anybody waits between two scrapes.
    private static let patience = TimeAmount.minutes(5)

    /// Serves until cancelled.
    ///
    /// - Throws: what the system has against listening there.
    func run(whenListening: @Sendable () -> Void = {}) async throws {
        let open = OpenConnections()
        let server = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 16)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { [answer] channel in
                channel.eventLoop.makeCompletedFuture {
                    guard open.enter(atMost: Self.mostConnections) else { throw ChannelError.eof }
                    channel.closeFuture.whenComplete { _ in open.leave() }
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(IdleStateHandler(allTimeout: Self.patience))
                    try pipeline.configureHTTPServerPipeline()
                    try pipeline.addHandler(AnsweringHandler(answer))
                }
            }
            .bind(host: address.address, port: address.port).get()
        whenListening()
        try await withTaskCancellationHandler {
            try await server.closeFuture.get()
        } onCancel: {
            server.close(promise: nil)
        }
    }
}

/// Counts connections.
private final class OpenConnections: Sendable {
    private let count = Atomic(0)

    /// false when there are too many.
    func enter(atMost limit: Int) -> Bool {
        if count.add(1, ordering: .relaxed).newValue <= limit { return true }
        leave()
        return false
    }

    func leave() { count.subtract(1, ordering: .relaxed) }
}
