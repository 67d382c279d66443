import Glibc
import LocalHTTP
import NIOCore
import NIOPosix

/// What the bytes mean that came so far.
enum Verdict {
    case good
    case more
    case bad(ProbeFailure)
}

/// One connection to a server: something said, the answer judged as it comes in.
enum Conversation {
    /// An answer larger than this is no answer.
    static let answerLimit = 64 << 10

    /// Connects, sends, and listens until `judge` has decided.
    static func hold(
        with target: LocalHTTPClient.Target, saying question: [UInt8], deadline: Duration, on group: any EventLoopGroup,
        judge: @escaping @Sendable ([UInt8]) -> Verdict
    ) async throws(ProbeFailure) {
        try await decide(on: group.next(), deadline: deadline) { answer in
            let bootstrap = ClientBootstrap(group: answer.futureResult.eventLoop)
                .connectTimeout(TimeAmount(deadline))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(JudgeHandler(question: question, answer: answer, judge: judge))
                    }
                }
            switch target {
            case .tcp(let host, let port): return bootstrap.connect(host: host, port: port)
            case .unix(let path): return bootstrap.connect(unixDomainSocketPath: path)
            }
        }
    }

    /// Waits for the first of: an answer, a failed connection, the deadline, cancellation. The connection is closed in any case.
    static func decide(
        on loop: any EventLoop, deadline: Duration, connect: (EventLoopPromise<Void>) -> EventLoopFuture<any Channel>
    ) async throws(ProbeFailure) {
        let answer = loop.makePromise(of: Void.self)
        let timer = loop.scheduleTask(in: TimeAmount(deadline)) { answer.fail(ProbeFailure.timedOut) }
        answer.futureResult.whenComplete { _ in timer.cancel() }
        connect(answer).whenComplete { result in
            switch result {
            case .failure(let error): answer.fail(ProbeFailure(error))
            case .success(let channel): answer.futureResult.whenComplete { _ in channel.close(promise: nil) }
            }
        }
        do {
            try await withTaskCancellationHandler {
                try await answer.futureResult.get()
            } onCancel: {
                answer.fail(ProbeFailure.cancelled)
            }
        } catch {
            throw ProbeFailure(error)
        }
    }
}

private final class JudgeHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let question: [UInt8]
    private let answer: EventLoopPromise<Void>
    private let judge: @Sendable ([UInt8]) -> Verdict
    private var heard: [UInt8] = []

    init(question: [UInt8], answer: EventLoopPromise<Void>, judge: @escaping @Sendable ([UInt8]) -> Verdict) {
        self.question = question
        self.answer = answer
        self.judge = judge
    }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: question)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        heard += unwrapInboundIn(data).readableBytesView
        switch judge(heard) {
        case .good: answer.succeed(())
        case .bad(let failure): answer.fail(failure)
        case .more where heard.count > Conversation.answerLimit: answer.fail(ProbeFailure.unexpected("more than it was asked for"))
        case .more: break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        answer.fail(ProbeFailure.closed)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answer.fail(ProbeFailure(error))
        context.close(promise: nil)
    }
}

extension ProbeFailure {
    /// What a library's error means here.
    init(_ error: any Error) {
        self =
            switch error {
            case let failure as ProbeFailure: failure
            case let error as NIOConnectionError: error.connectionErrors.first.map { Self($0.error) } ?? .refused
            case let error as IOError: Self(errno: error.errnoCode)
            case let error as LocalHTTPError: Self(error)
            case ChannelError.connectTimeout: .timedOut
            case is CancellationError: .cancelled
            default: .closed
            }
    }

    private init(errno code: Int32) {
        self =
            switch code {
            case ECONNREFUSED, ENOENT: .refused
            case ECONNRESET, EPIPE: .closed
            case ETIMEDOUT: .timedOut
            default: .system(errno: code)
            }
    }

    private init(_ error: LocalHTTPError) {
        self =
            switch error {
            case .refused: .refused
            case .timedOut: .timedOut
            case .closed: .closed
            case .tooLarge: .unexpected("more than it was asked for")
            case .malformed: .unexpected("something that is no HTTP")
            case .cancelled: .cancelled
            case .system(let errno): .system(errno: errno)
            }
    }
}
