/// Asks recursive resolvers, one after the other until one answers.
public struct Resolver: Sendable {
    /// Their addresses with the port, `192.0.2.1:53`.
    public let servers: [String]

    public init(_ servers: [String]) { self.servers = servers }

    /// Asks each once, and when all are silent once more. Blocks its thread: about six seconds at most, and twice that for answers that do not fit
    /// into a datagram.
    ///
    /// - Throws: why the last one has not told; ``DNSError/refused(code:)`` when one has trouble of its own, and none does better.
    public func ask(_ name: String, _ kind: DNSQuery.Kind) throws(DNSError) -> DNSResponse {
        let query = DNSQuery(name: name, kind: kind, isRecursive: true)
        var refusal: DNSError?
        let deadline = ContinuousClock.now + .seconds(5)
        for _ in 1...2 {
            for server in servers where refusal == nil || ContinuousClock.now < deadline {
                do throws(DNSError) {
                    let response = try query.askOnce(server, seconds: 2)
                    // 3: there is no such name.
                    if response.code == 0 || response.code == 3 { return response }
                    refusal = .refused(code: response.code)
                } catch {
                    if case .refused = refusal { continue }
                    refusal = error
                }
            }
        }
        throw refusal ?? .badAddress
    }
}
