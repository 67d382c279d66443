public import LocalHTTP
public import NIOCore
public import NIOPosix

/// Does a server answer an HTTP request?
public struct HTTPProbe: Probe {
    /// Where it listens.
    public var target: LocalHTTPClient.Target
    /// What the Host field says.
    public var host: String
    /// What is asked for.
    public var path: String
    /// The status that is right.
    public var status: Int
    /// How long everything may take.
    public var deadline: Duration
    private let group: any EventLoopGroup

    public init(
        target: LocalHTTPClient.Target, host: String = "localhost", path: String = "/", status: Int = 200, deadline: Duration = .seconds(3),
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) {
        self.target = target
        self.host = host
        self.path = path
        self.status = status
        self.deadline = deadline
        self.group = group
    }

    public func check() async throws(ProbeFailure) {
        // A client of its own each time: a kept connection would not show that new ones are taken.
        let client = LocalHTTPClient(target: target, hostHeader: host, group: group)
        let response: LocalHTTPClient.Response
        do {
            response = try await client.send(.init(path: path, headers: [(name: "Connection", value: "close")]), deadline: deadline)
        } catch {
            throw ProbeFailure(error)
        }
        guard response.status == status else { throw .unexpected("HTTP status \(response.status)") }
    }
}
