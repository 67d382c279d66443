public import NIOCore
import NIOHTTP1
public import NIOPosix

/// A small HTTP/1.1 client (RFC 9112) for servers on this machine: plain text, no redirects, no proxies, no cookies.
///
/// Connections are kept for later requests. A value is cheap to copy; its copies share the connections.
public struct LocalHTTPClient: Sendable {
    /// Where the server listens.
    public enum Target: Sendable, Equatable {
        /// A TCP port. A name is resolved; an address is better, since it cannot mean two things.
        case tcp(host: String, port: Int)
        /// A Unix socket.
        case unix(path: String)
    }

    /// Where the server listens.
    public let target: Target
    /// What the Host field says (RFC 9110 §7.2).
    public let hostHeader: String
    /// The most bytes that a response body may have.
    public let responseLimit: Int

    private let group: any EventLoopGroup
    private let idle = IdleConnections()

    /// A client. Nothing is connected before the first request.
    ///
    /// - Parameters:
    ///   - target: where the server listens.
    ///   - hostHeader: what the Host field says.
    ///   - responseLimit: the most bytes that a response body may have.
    ///   - group: whose threads do the work.
    public init(
        target: Target, hostHeader: String = "localhost", responseLimit: Int = 4 << 20,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) {
        self.target = target
        self.hostHeader = hostHeader
        self.responseLimit = responseLimit
        self.group = group
    }

    /// Sends a request and waits for the whole response, whatever its status.
    ///
    /// A request that may safely be sent twice (RFC 9110 §9.2.2) uses a kept connection, and once more a new one if the server
    /// closed the kept one meanwhile. Any other request always gets a new connection, so it is never sent twice.
    ///
    /// - Parameters:
    ///   - request: what to ask.
    ///   - deadline: how long everything may take, from now.
    /// - Throws: ``LocalHTTPError``; `.cancelled` when the task was cancelled.
    public func send(_ request: Request, deadline: Duration) async throws(LocalHTTPError) -> Response {
        let end = NIODeadline.now() + TimeAmount(deadline)
        if request.method.isIdempotent {
            while let channel = idle.take() {
                do {
                    return try await exchange(request, on: channel.eventLoop.makeSucceededFuture(channel), until: end)
                } catch .closed {
                    continue
                }
            }
        }
        let loop = group.next()
        return try await exchange(request, on: connect(on: loop, until: end), until: end)
    }

    private func connect(on loop: any EventLoop, until end: NIODeadline) -> EventLoopFuture<any Channel> {
        let limit = responseLimit
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(max(.milliseconds(1), end - .now()))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandlers([
                        NIOHTTPClientResponseAggregator(maxContentLength: limit), ExchangeHandler(),
                    ])
                }
            }
        switch target {
        case .tcp(let host, let port): return bootstrap.connect(host: host, port: port)
        case .unix(let path): return bootstrap.connect(unixDomainSocketPath: path)
        }
    }

    /// One request and its response. Whatever fails first (deadline, cancellation, connection) decides, and the connection goes.
    private func exchange(
        _ request: Request, on connecting: EventLoopFuture<any Channel>, until end: NIODeadline
    ) async throws(LocalHTTPError) -> Response {
        let loop = connecting.eventLoop
        let answer = loop.makePromise(of: Exchange.Answer.self)
        // Told only when the connection is back in its place: the next request in a row finds it there.
        let delivered = loop.makePromise(of: Exchange.Answer.self)
        let timer = loop.scheduleTask(deadline: end) { answer.fail(LocalHTTPError.timedOut) }
        let exchange = Exchange(request: request, host: hostHeader, answer: answer)
        let idle = idle
        connecting.whenComplete { result in
            switch result {
            case .failure(let error): answer.fail(LocalHTTPError(error, limit: 0))
            case .success(let channel):
                answer.futureResult.whenComplete { result in
                    timer.cancel()
                    if case .success(let answer) = result, answer.keepsConnection {
                        idle.put(channel)
                    } else {
                        channel.close(promise: nil)
                    }
                    delivered.completeWith(result)
                }
                channel.writeAndFlush(exchange).whenFailure { _ in answer.fail(LocalHTTPError.closed) }
            }
        }
        answer.futureResult.whenFailure { error in
            timer.cancel()
            delivered.fail(error)
        }
        do {
            return try await withTaskCancellationHandler {
                try await delivered.futureResult.get().response
            } onCancel: {
                answer.fail(LocalHTTPError.cancelled)
            }
        } catch {
            throw LocalHTTPError(error, limit: responseLimit)
        }
    }
}
