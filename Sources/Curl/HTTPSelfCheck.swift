public import ACME
internal import Dispatch
internal import Glibc

/// Fetches an http-01 answer the way a CA does (RFC 8555 §8.3): every address of the name, port 80, redirects followed.
public struct HTTPSelfCheck: SelfCheck {
    /// An address that a name has for the CA, and the port where the CA looks, whatever this machine's resolver says.
    public struct Resolution: Sendable, Equatable {
        public var name: String
        public var port: Int
        public var address: String

        /// From `NAME:PORT:ADDR`; nil when it is no such thing.
        public init?(_ text: String) {
            let parts = text.split(separator: ":", maxSplits: 2).map(String.init)
            guard parts.count == 3, let port = Int(parts[1]), (1...65535).contains(port) else { return nil }
            var address = parts[2]
            if address.hasPrefix("["), address.hasSuffix("]") { address = String(address.dropFirst().dropLast()) }
            var bytes = in6_addr()
            guard inet_pton(AF_INET, address, &bytes) == 1 || inet_pton(AF_INET6, address, &bytes) == 1 else { return nil }
            name = parts[0].lowercased()
            self.port = port
            self.address = address
        }
    }

    private let transport: CurlTransport
    private let port: Int
    private let resolutions: [Resolution]

    /// - Parameters:
    ///   - port: where the CA looks: 80, but for CAs in tests.
    ///   - resolutions: names whose addresses are not to be looked up.
    public init(transport: CurlTransport, port: Int = 80, resolutions: [Resolution] = []) {
        self.transport = transport
        self.port = port
        self.resolutions = resolutions
    }

    public func check(_ answer: ChallengeAnswer) async -> SelfCheckVerdict {
        let given = resolutions.filter { $0.name == answer.name }.map { ($0.address, $0.port) }
        let places: [(address: String, port: Int)]
        if given.isEmpty {
            guard let addresses = await resolved(answer.name) else { return .unknown }
            places = addresses.map { ($0, port) }
        } else {
            places = given
        }
        guard !places.isEmpty else { return .fault(.noAddress) }
        let verdicts = await withTaskGroup(of: (Int, SelfCheckVerdict).self) { group in
            for (index, place) in places.enumerated() {
                group.addTask { (index, await look(for: answer, at: place.address, port: place.port)) }
            }
            var verdicts: [(Int, SelfCheckVerdict)] = []
            for await verdict in group { verdicts.append(verdict) }
            return verdicts.sorted { $0.0 < $1.0 }.map(\.1)
        }
        let isFound = verdicts.contains(.found)
        for case .fault(let fault) in verdicts {
            // A CA that cannot connect over IPv6 tries IPv4; one that gets a wrong answer does not.
            if case .unreachable(let address, _, _) = fault, address.contains(":"), isFound { continue }
            return .fault(fault)
        }
        return isFound ? .found : .unknown
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

/// The addresses of a name, at most eight, IPv6 first as CAs do; nil when no resolver could tell.
private func resolved(_ name: String) async -> [String]? {
    await withCheckedContinuation { continuation in
        // The system's resolver blocks.
        DispatchQueue.global().async { continuation.resume(returning: addresses(of: name)) }
    }
}

private func addresses(of name: String) -> [String]? {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let result = getaddrinfo(name, nil, &hints, &list)
    // -5: the name exists, but has no address.
    if result == EAI_NONAME || result == -5 { return [] }
    guard result == 0, let list else { return nil }
    defer { freeaddrinfo(list) }
    var found: [String] = []
    var next: UnsafeMutablePointer<addrinfo>? = list
    while let entry = next {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        if getnameinfo(entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0 {
            let address = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            if !found.contains(address) { found.append(address) }
        }
        next = entry.pointee.ai_next
    }
    return Array((found.filter { $0.contains(":") } + found.filter { !$0.contains(":") }).prefix(8))
}
