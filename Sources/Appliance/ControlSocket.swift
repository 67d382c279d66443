import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix

/// The control socket of `snikket up`: HTTP/1.1 on a socket in a folder that only its owner can enter, so that
/// `curl --unix-socket` can ask as well as `snikket status`.
struct ControlSocket: Sendable {
    /// Answers a request: its method and path, to a status and a JSON text.
    typealias Answer = @Sendable (_ method: String, _ path: String) async -> (status: Int, json: [UInt8])

    let path: String
    let group: any EventLoopGroup
    let answer: Answer

    private typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPPart<HTTPResponseHead, ByteBuffer>>

    /// Serves until cancelled.
    ///
    /// The socket is made under a temporary name and renamed, so that it can be asked from the moment it can be seen, and one
    /// that a killed predecessor left is replaced.
    func run(whenListening: () async -> Void = {}) async throws {
        let temporary = path + ".new"
        unlink(temporary)
        let server = try await ServerBootstrap(group: group)
            .serverChannelOption(ChannelOptions.backlog, value: 128)
            .bind(unixDomainSocketPath: temporary) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(HTTPBufferParts())
                    return try Connection(wrappingChannelSynchronously: channel)
                }
            }
        guard rename(temporary, path) == 0 else {
            throw ApplianceError.file(path: path, problem: String(cString: strerror(errno)))
        }
        defer { unlink(path) }
        await whenListening()
        try await server.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                for try await connection in connections {
                    group.addTask { await serve(connection) }
                }
            }
        }
    }

    /// A client that goes away ends its own connection only.
    private func serve(_ connection: Connection) async {
        try? await connection.executeThenClose { requests, responses in
            for try await part in requests {
                guard case .head(let head) = part else { continue }
                let (status, json) = await answer(head.method.rawValue, head.uri)
                let headers: HTTPHeaders = ["content-type": "application/json", "content-length": "\(json.count)"]
                try await responses.write(.head(.init(version: .http1_1, status: .init(statusCode: status), headers: headers)))
                try await responses.write(.body(ByteBuffer(bytes: json)))
                try await responses.write(.end(nil))
            }
        }
    }
}

/// Lets the answers above be plain buffers: NIO's server pipeline takes `IOData`.
private final class HTTPBufferParts: ChannelOutboundHandler, Sendable {
    typealias OutboundIn = HTTPPart<HTTPResponseHead, ByteBuffer>
    typealias OutboundOut = HTTPServerResponsePart

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch Self.unwrapOutboundIn(data) {
        case .head(let head): context.write(Self.wrapOutboundOut(.head(head)), promise: promise)
        case .body(let body): context.write(Self.wrapOutboundOut(.body(.byteBuffer(body))), promise: promise)
        case .end(let trailers): context.write(Self.wrapOutboundOut(.end(trailers)), promise: promise)
        }
    }
}
