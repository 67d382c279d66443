import DurableFiles
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix

/// The control socket of `snikket up`: HTTP/1.1 on a socket in a folder that only its owner can enter, so that
/// `curl --unix-socket` can ask as well as `snikket status`.
struct ControlSocket: Sendable {
    /// Answers a request.
    typealias Answer = @Sendable (ControlRequest) async -> ControlAnswer

    let path: String
    let group: any EventLoopGroup
    let answer: Answer

    /// How often it is looked whether the socket is still there.
    var pause = Duration.seconds(15)

    /// Serves until cancelled. When somebody has removed the socket, or put something in its place, it is made anew.
    func run(whenListening: () async -> Void = {}) async throws {
        var server: (any Channel)? = try await listen()
        var place = SocketPlace(path)
        await whenListening()
        while (try? await Task.sleep(for: pause, tolerance: .seconds(2))) != nil {
            if let server, server.isActive, SocketPlace(path) == place { continue }
            // Whoever is being answered has a connection of their own.
            try? await server?.close()
            // What is in the way now may be gone at the next look.
            server = try? await listen()
            place = SocketPlace(path)
        }
        try? await server?.close()
        unlink(path)
    }

    /// The socket is made under a temporary name and renamed, so that it can be asked from the moment it can be seen, and one
    /// that a killed predecessor left is replaced.
    private func listen() async throws -> any Channel {
        let temporary = path + ".new"
        unlink(temporary)
        let server = try await ServerBootstrap(group: group)
            .serverChannelOption(ChannelOptions.backlog, value: 128)
            .childChannelInitializer { [answer] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(AnsweringHandler(answer))
                }
            }
            .bind(unixDomainSocketPath: temporary).get()
        guard rename(temporary, path) == 0 else {
            let problem = errno
            try? await server.close()
            unlink(temporary)
            throw ApplianceError.file(FileError(.write, path, errno: problem))
        }
        return server
    }
}

/// Which file a path is; all that is not there is the same.
private struct SocketPlace: Equatable {
    private let device: dev_t
    private let number: ino_t

    init(_ path: String) {
        var facts = stat()
        let isThere = lstat(path, &facts) == 0
        (device, number) = isThere ? (facts.st_dev, facts.st_ino) : (0, 0)
    }
}

/// Answers the requests of one connection, one after the other; a client that goes away ends its own connection only.
final class AnsweringHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let answer: ControlSocket.Answer
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    /// What is asked here is short.
    private static let longestBody = 8192

    init(_ answer: @escaping ControlSocket.Answer) {
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head): (self.head, body) = (head, [])
        case .body(let bytes):
            guard body.count + bytes.readableBytes <= Self.longestBody else { return context.close(promise: nil) }
            body += bytes.readableBytesView
        case .end:
            guard let head else { return }
            let request = ControlRequest(method: head.method.rawValue, path: head.uri, body: body, accept: head.headers.first(name: "accept"))
            let channel = context.channel
            context.eventLoop.makeFutureWithTask { [answer] in await answer(request) }
                .whenSuccess { answer in
                    let headers: HTTPHeaders = ["content-type": answer.contentType, "content-length": "\(answer.body.count)"]
                    channel.write(Self.head(answer.status, headers), promise: nil)
                    channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: answer.body))), promise: nil)
                    channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
                }
        }
    }

    private static func head(_ status: Int, _ headers: HTTPHeaders) -> HTTPServerResponsePart {
        .head(HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // Where silence has an end, this is it.
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
