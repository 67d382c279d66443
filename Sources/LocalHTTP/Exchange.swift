import NIOCore
import NIOHTTP1

/// A request on its way, and whom to tell.
struct Exchange: Sendable {
    struct Answer: Sendable {
        var response: LocalHTTPClient.Response
        /// Whether the server leaves the connection open for the next request (RFC 9112 §9.3).
        var keepsConnection: Bool
    }

    var request: LocalHTTPClient.Request
    var host: String
    var answer: EventLoopPromise<Answer>
}

/// Turns exchanges into HTTP messages, one at a time.
final class ExchangeHandler: ChannelDuplexHandler {
    typealias InboundIn = NIOHTTPClientResponseFull
    typealias OutboundIn = Exchange
    typealias OutboundOut = HTTPClientRequestPart

    private var waiting: EventLoopPromise<Exchange.Answer>?

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let exchange = unwrapOutboundIn(data)
        let request = exchange.request
        waiting = exchange.answer
        var head = HTTPRequestHead(version: .http1_1, method: .init(rawValue: request.method.rawValue), uri: request.path)
        head.headers.add(name: "Host", value: exchange.host)
        head.headers.add(contentsOf: request.headers.map { ($0.name, $0.value) })
        if !request.body.isEmpty || !(request.method == .get || request.method == .head) {
            head.headers.replaceOrAdd(name: "Content-Length", value: String(request.body.count))
        }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !request.body.isEmpty {
            context.write(wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(bytes: request.body)))), promise: nil)
        }
        context.write(wrapOutboundOut(.end(nil)), promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let full = unwrapInboundIn(data)
        guard let answer = waiting else {
            // An answer to nothing: what comes after it could not be trusted.
            context.close(promise: nil)
            return
        }
        waiting = nil
        answer.succeed(
            Exchange.Answer(
                response: .init(
                    status: Int(full.head.status.code), headers: full.head.headers.map { (name: $0.name, value: $0.value) },
                    body: full.body.map { Array($0.readableBytesView) } ?? []),
                keepsConnection: full.head.isKeepAlive))
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(LocalHTTPError.closed)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(error)
        context.close(promise: nil)
    }

    private func fail(_ error: any Error) {
        waiting?.fail(error)
        waiting = nil
    }
}
