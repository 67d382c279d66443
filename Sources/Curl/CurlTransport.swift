public import ACME
internal import CCurl
internal import Dispatch
internal import Synchronization

/// libcurl as the carrier of ACME: one set of connections for all requests, HTTP/2 where the CA speaks it, https only.
///
/// The transfers run on a thread of their own, which sleeps while there is nothing to do.
public final class CurlTransport: Transport {
    private let queue = TransferQueue()
    private let options: TransferOptions

    /// - Parameters:
    ///   - roots: a PEM file of roots to trust instead of the system's.
    ///   - userAgent: what the CA sees (RFC 8555 §6.1).
    ///   - maximumBytes: a larger response is an error; an honest one of ACME has a few kilobytes.
    ///   - observe: told of every finished request; for measuring.
    public init(
        roots: String?, userAgent: String, maximumBytes: Int = 65_536,
        observe: (@Sendable (RequestRecord) -> Void)? = nil
    ) throws(TransportError) {
        guard curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK else {
            throw TransportError(kind: .setup, code: 0, text: "curl_global_init failed")
        }
        options = TransferOptions(roots: roots, userAgent: userAgent, maximumBytes: maximumBytes, observe: observe)
        guard let multi = MultiHandle() else {
            throw TransportError(kind: .setup, code: 0, text: "curl_multi_init failed")
        }
        queue.attach(multi.pointer)
        let loop = TransferLoop(multi: multi, queue: queue)
        DispatchQueue(label: "curl").async { loop.run() }
    }

    deinit { queue.stop() }

    public func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        try await send(request, options)
    }

    /// Fetches a page of ours the way a CA fetches a challenge (RFC 8555 §8.3): over plain HTTP, following redirects, whatever
    /// certificate they lead to. Limited to ten seconds and 64 kB.
    ///
    /// - Parameter address: connect to this address, whatever the name resolves to.
    func fetchChallenge(_ url: String, name: String, port: Int, at address: String) async throws(TransportError) -> HTTPResponse {
        var options = options
        options.maximumBytes = 65536
        let host = address.contains(":") ? "[\(address)]" : address
        options.purpose = .challenge(connections: ["\(name):\(port):\(host):\(port)", "\(name):443:\(host):443"])
        return try await send(HTTPRequest(.get, url), options)
    }

    private func send(_ request: HTTPRequest, _ options: TransferOptions) async throws(TransportError) -> HTTPResponse {
        let number = queue.nextNumber()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Result<HTTPResponse, TransportError>, Never>) in
                queue.submit(PendingTransfer(number: number, request: request, options: options, continuation: continuation))
            }
        } onCancel: {
            queue.cancel(number)
        }
        return try result.get()
    }
}

/// A finished request, for measuring.
public struct RequestRecord: Sendable {
    public var method: String
    public var url: String
    /// 0 when there was no response.
    public var status: Int
    /// Connections that had to be opened for it.
    public var newConnections: Int
    /// Whether it went over HTTP/2.
    public var isHTTP2: Bool
}

/// What all transfers have in common.
struct TransferOptions: Sendable {
    var roots: String?
    var userAgent: String
    var maximumBytes: Int
    var observe: (@Sendable (RequestRecord) -> Void)?
    var purpose = Purpose.authority

    enum Purpose: Sendable {
        /// To talk to the CA: https, nothing unexpected.
        case authority
        /// To see what the CA would see; `connections` in the form of CURLOPT_CONNECT_TO.
        case challenge(connections: [String])
    }
}

/// A request that waits for the loop.
struct PendingTransfer: Sendable {
    var number: Int
    var request: HTTPRequest
    var options: TransferOptions
    var continuation: CheckedContinuation<Result<HTTPResponse, TransportError>, Never>
}

/// What the callers and the loop share.
final class TransferQueue: Sendable {
    private struct State: @unchecked Sendable {
        var pending: [PendingTransfer] = []
        var cancelled: Set<Int> = []
        var lastNumber = 0
        var isStopped = false
        /// To wake the loop with: the one call on a multi handle that is safe from any thread.
        var multi: UnsafeMutableRawPointer?
    }
    private let state = Mutex(State())

    func attach(_ multi: UnsafeMutableRawPointer) { change { $0.multi = multi } }
    func detach() { change { $0.multi = nil } }
    func submit(_ transfer: PendingTransfer) { change { $0.pending.append(transfer) } }
    func cancel(_ number: Int) { change { _ = $0.cancelled.insert(number) } }
    func stop() { change { $0.isStopped = true } }

    func nextNumber() -> Int {
        state.withLock {
            $0.lastNumber += 1
            return $0.lastNumber
        }
    }

    /// What has come in since the last time.
    func take() -> (pending: [PendingTransfer], cancelled: Set<Int>, isStopped: Bool) {
        state.withLock { state in
            // The cancelled ones stay: a request may be cancelled before it is here.
            defer { state.pending = [] }
            return (state.pending, state.cancelled, state.isStopped)
        }
    }

    private func change(_ body: (inout State) -> Void) {
        state.withLock { state in
            body(&state)
            if let multi = state.multi { curl_multi_wakeup(multi) }
        }
    }
}
