public import NIOCore
public import NIOPosix

/// Does a STUN server tell us our address (RFC 8489 §2, a binding request over UDP)?
public struct STUNProbe: Probe {
    /// Where it listens: an IPv4 or IPv6 address.
    public var address: String
    /// Its UDP port.
    public var port: Int
    /// How long everything may take, repetitions included.
    public var deadline: Duration
    private let group: any EventLoopGroup

    public init(
        address: String, port: Int = 3478, deadline: Duration = .seconds(3), group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) {
        self.address = address
        self.port = port
        self.deadline = deadline
        self.group = group
    }

    public func check() async throws(ProbeFailure) {
        guard let server = try? SocketAddress(ipAddress: address, port: port) else {
            throw .unexpected("nothing: \(address) is no address")
        }
        let transaction = (0..<12).map { _ in UInt8.random(in: 0...255) }
        try await Conversation.decide(on: group.next(), deadline: deadline) { answer in
            DatagramBootstrap(group: answer.futureResult.eventLoop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(STUNHandler(server: server, transaction: transaction, answer: answer))
                    }
                }
                .connect(to: server)
        }
    }

    /// 1, no attributes, the magic cookie, the transaction (RFC 8489 §5).
    static func request(_ transaction: [UInt8]) -> [UInt8] {
        [0x00, 0x01, 0x00, 0x00] + cookie + transaction
    }

    /// What a datagram means; `.more` when it is not for us.
    static func judge(_ bytes: [UInt8], _ transaction: [UInt8]) -> Verdict {
        guard bytes.count >= 20, Array(bytes[4..<20]) == cookie + transaction else { return .more }
        switch (bytes[0], bytes[1]) {
        case (0x01, 0x01): return .good
        case (0x01, 0x11): return .bad(.unexpected("a STUN error"))
        default: return .more
        }
    }

    private static let cookie: [UInt8] = [0x21, 0x12, 0xa4, 0x42]
}

/// Sends the request again and again, in growing pauses (RFC 8489 §6.2.1), until its answer comes.
private final class STUNHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    /// The RFC's 500 ms are for the internet; this server is on our own machine.
    private static let firstPause = TimeAmount.milliseconds(100)
    private let server: SocketAddress
    private let transaction: [UInt8]
    private let answer: EventLoopPromise<Void>
    private var again: Scheduled<Void>?

    init(server: SocketAddress, transaction: [UInt8], answer: EventLoopPromise<Void>) {
        self.server = server
        self.transaction = transaction
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        send(context, pause: Self.firstPause)
        context.fireChannelActive()
    }

    private func send(_ context: ChannelHandlerContext, pause: TimeAmount) {
        let request = ByteBuffer(bytes: STUNProbe.request(transaction))
        context.writeAndFlush(wrapOutboundOut(AddressedEnvelope(remoteAddress: server, data: request)), promise: nil)
        let here = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        again = context.eventLoop.scheduleTask(in: pause) {
            let (handler, context) = here.value
            handler.send(context, pause: pause * 2)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch STUNProbe.judge(Array(unwrapInboundIn(data).data.readableBytesView), transaction) {
        case .good: answer.succeed(())
        case .bad(let failure): answer.fail(failure)
        case .more: break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        again?.cancel()
        answer.fail(ProbeFailure.closed)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answer.fail(ProbeFailure(error))
        context.close(promise: nil)
    }
}
