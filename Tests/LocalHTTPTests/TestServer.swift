import Glibc
import LocalHTTP
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

enum Listening { case tcp, unix }

/// A server with good and bad manners, by path.
final class TestServer: Sendable {
    let target: LocalHTTPClient.Target
    let port: Int
    let connections = Atomic<Int>(0)

    private init(target: LocalHTTPClient.Target, port: Int) {
        self.target = target
        self.port = port
    }

    /// Runs a server for as long as `body` takes.
    static func with<Result>(_ listening: Listening, _ body: (TestServer) async throws -> Result) async throws -> Result {
        let accepted = Accepted()
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    accepted.server.withLock { _ = $0?.connections.add(1, ordering: .relaxed) }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Manners())
                }
            }
        let path = "/tmp/local-http-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock"
        let channel: any Channel
        let server: TestServer
        switch listening {
        case .tcp:
            channel = try await bootstrap.bind(host: "127.0.0.1", port: 0).get()
            let port = channel.localAddress?.port ?? 0
            server = TestServer(target: .tcp(host: "127.0.0.1", port: port), port: port)
        case .unix:
            channel = try await bootstrap.bind(unixDomainSocketPath: path).get()
            server = TestServer(target: .unix(path: path), port: 0)
        }
        accepted.server.withLock { $0 = server }
        do {
            let result = try await body(server)
            try await channel.close()
            unlink(path)
            return result
        } catch {
            try? await channel.close()
            unlink(path)
            throw error
        }
    }

    private final class Accepted: Sendable {
        let server = Mutex<TestServer?>(nil)
    }
}

private final class Manners: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart
    private var head: HTTPRequestHead?
    private var body = ""

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): (self.head, body) = (head, "")
        case .body(let bytes): body += String(buffer: bytes)
        case .end: answer(context)
        }
    }

    private func answer(_ context: ChannelHandlerContext) {
        guard let head else { return }
        switch head.uri {
        case "/silence": break
        case "/noise":
            // Past the encoder.
            try? context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
                .writeAndFlush(NIOAny(ByteBuffer(string: "NOT HTTP AT ALL\r\n\r\n")), promise: nil)
        case "/half": respond(context, "short", length: 500, close: true)
        case "/large": respond(context, String(repeating: "x", count: 2000))
        case "/then-close": respond(context, "bye", close: true)
        default:
            respond(context, "\(head.method) \(head.uri) \(head.headers["Host"].first ?? "") \(head.headers["X-Test"].first ?? "") \(body)")
        }
    }

    private func respond(_ context: ChannelHandlerContext, _ text: String, length: Int? = nil, close: Bool = false) {
        var head = HTTPResponseHead(version: .http1_1, status: .ok)
        head.headers.add(name: "Content-Type", value: "text/plain")
        head.headers.add(name: "Content-Length", value: String(length ?? text.utf8.count))
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
        let channel = context.channel
        if length == nil { context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil) }
        if close { channel.close(promise: nil) }
    }
}
