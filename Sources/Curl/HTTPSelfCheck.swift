public import ACME
internal import Glibc

/// Fetches an http-01 answer the way a CA does (RFC 8555 §8.3): every address of the name, port 80, redirects followed.
public struct HTTPSelfCheck: SelfCheck {
    private let transport: CurlTransport
    private let places: CheckedPlaces

    /// - Parameters:
    ///   - port: where the CA looks: 80, but for CAs in tests.
    ///   - resolutions: names whose addresses are not to be looked up.
    public init(transport: CurlTransport, port: Int = 80, resolutions: [Resolution] = []) {
        self.transport = transport
        places = CheckedPlaces(port: port, resolutions: resolutions)
    }

    public func check(_ answer: ChallengeAnswer) async -> SelfCheckVerdict {
        await places.check(answer.name) { address, port in await look(for: answer, at: address, port: port) }
    }

    private func look(for answer: ChallengeAnswer, at address: String, port: Int) async -> SelfCheckVerdict {
        let url = "http://\(answer.name)\(port == 80 ? "" : ":\(port)")/.well-known/acme-challenge/\(answer.token)"
        do throws(TransportError) {
            let response = try await transport.fetchChallenge(url, name: answer.name, port: port, at: address)
            var body = response.body
            // White space at the end does not count (RFC 8555 §8.3).
            while let last = body.last, last == 0x20 || (0x09...0x0d).contains(last) { body.removeLast() }
            if response.status == 200, body == Array(answer.keyAuthorization.utf8) { return .found }
            return .fault(.wrongAnswer(from: address, port: port, status: response.status, body: body))
        } catch {
            // This machine has no way there, which says nothing about the CA: mostly an IPv4 machine and an IPv6 address.
            if error.errno == ENETUNREACH || error.errno == EAFNOSUPPORT || error.errno == EADDRNOTAVAIL { return .unknown }
            return error.kind == .cancelled || error.kind == .setup ? .unknown : .fault(.unreachable(address: address, port: port, error))
        }
    }
}
