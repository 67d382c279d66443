internal import Dispatch
internal import Glibc

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

/// Where a CA connects to, to look at an answer: every address of the name.
public struct CheckedPlaces: Sendable {
    private let port: Int
    private let resolutions: [Resolution]

    /// - Parameters:
    ///   - port: where the CA looks.
    ///   - resolutions: names whose addresses are not to be looked up.
    public init(port: Int, resolutions: [Resolution]) {
        self.port = port
        self.resolutions = resolutions
    }

    /// Looks everywhere at once, and puts together what was seen.
    public func check(
        _ name: String, _ look: @escaping @Sendable (_ address: String, _ port: Int) async -> SelfCheckVerdict
    ) async -> SelfCheckVerdict {
        let given = resolutions.filter { $0.name == name }.map { ($0.address, $0.port) }
        let places: [(address: String, port: Int)]
        if given.isEmpty {
            guard let addresses = await resolved(name) else { return .unknown }
            places = addresses.map { ($0, port) }
        } else {
            places = given
        }
        guard !places.isEmpty else { return .fault(.noAddress) }
        let verdicts = await withTaskGroup(of: (Int, SelfCheckVerdict).self) { group in
            for (index, place) in places.enumerated() {
                group.addTask { (index, await look(place.address, place.port)) }
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
