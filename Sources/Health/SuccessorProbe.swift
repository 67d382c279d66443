public import LocalHTTP
public import NIOCore
public import NIOPosix

/// Has whoever answered been followed by another one? A server that reads its files again in a new process (nginx's worker) has done so only then.
///
/// The connection to the predecessor is kept, so that as long as it lives it is the one that answers: it ends its connections after it has
/// stopped taking new ones. A new connection alone might reach either.
public struct SuccessorProbe: Probe {
    private let client: LocalHTTPClient
    private let request: LocalHTTPClient.Request
    private let deadline: Duration
    private let predecessor: LocalHTTPClient.Response

    /// Asks whoever answers now.
    ///
    /// - Parameters:
    ///   - target: where it listens.
    ///   - path: where each answers something of its own.
    ///   - deadline: how long an answer may take.
    ///   - group: whose threads do the work.
    public init(
        target: LocalHTTPClient.Target, path: String, deadline: Duration = .seconds(3),
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws(ProbeFailure) {
        client = LocalHTTPClient(target: target, group: group)
        request = LocalHTTPClient.Request(path: path)
        self.deadline = deadline
        predecessor = try await Self.answer(of: client, to: request, within: deadline)
    }

    public func check() async throws(ProbeFailure) {
        let answer = try await Self.answer(of: client, to: request, within: deadline)
        guard answer.body != predecessor.body else { throw .unexpected("as before its reload") }
    }

    private static func answer(
        of client: LocalHTTPClient, to request: LocalHTTPClient.Request, within deadline: Duration
    ) async throws(ProbeFailure) -> LocalHTTPClient.Response {
        let response: LocalHTTPClient.Response
        do {
            response = try await client.send(request, deadline: deadline)
        } catch {
            throw ProbeFailure(error)
        }
        guard response.status == 200 else { throw .unexpected("HTTP status \(response.status)") }
        return response
    }
}
