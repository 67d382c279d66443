internal import Synchronization

/// Asks recursive resolvers, one after the other until one answers. The one that did is asked first from then on.
public final class Resolver: Sendable {
    /// Their addresses with the port, `192.0.2.1:53`.
    public let servers: [String]
    private let preferred = Mutex(0)

    public init(_ servers: [String]) { self.servers = servers }

    /// Asks each once, and when all are silent once more. Blocks its thread: about six seconds at most, and twice that for answers that do not fit
    /// into a datagram.
    ///
    /// - Throws: why the last one has not told; ``DNSError/refused(code:)`` when one has trouble of its own, and none does better.
    public func ask(_ name: String, _ kind: DNSQuery.Kind) throws(DNSError) -> DNSResponse {
        let query = DNSQuery(name: name, kind: kind, isRecursive: true)
        let first = preferred.withLock { $0 }
        var problem: DNSError?
        let deadline = ContinuousClock.now + .seconds(5)
        for turn in 0..<2 * servers.count where turn == 0 || ContinuousClock.now < deadline {
            let index = (first + turn) % servers.count
            do throws(DNSError) {
                let response = try query.askOnce(servers[index], seconds: 2)
                // 3: there is no such name.
                if response.code == 0 || response.code == 3 {
                    preferred.withLock { $0 = index }
                    return response
                }
                problem = .refused(code: response.code)
            } catch {
                if case .refused = problem { continue }
                problem = error
            }
        }
        throw problem ?? .badAddress
    }
}
