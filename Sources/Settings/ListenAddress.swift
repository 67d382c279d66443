/// An address and a port to listen on.
public struct ListenAddress: Sendable, Equatable {
    /// An IPv4 or IPv6 address, in its usual form.
    public var address: String
    public var port: Int

    public init(address: String, port: Int) {
        (self.address, self.port) = (address, port)
    }

    /// The port for metrics when none is said.
    static let metricsPort = 5281
}

extension ListenAddress: OptionValue {
    /// RFC 3986 section 3.2.2: an IPv6 address stands in brackets.
    public var plain: String { address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)" }
}

extension ValueKind where Value == ListenAddress {
    /// A loopback or private address with a port behind it, which may be left out.
    static func privateEndpoint(port: Int) -> Self {
        Self(
            name: "IP address",
            bounds: "a loopback or private one, with `:` and a port behind it unless that is \(port); IPv6 is then in brackets"
        ) { text throws(Problem.Kind) in
            guard let endpoint = IPAddress.endpoint(text, port: port), let colon = endpoint.lastIndex(of: ":"),
                let port = Int(endpoint[endpoint.index(after: colon)...])
            else { throw .notAnAddress(text) }
            var address = endpoint[..<colon]
            if address.hasPrefix("[") { address = address.dropFirst().dropLast() }
            guard IPAddress.isPrivate(String(address)) else { throw .notPrivate(text) }
            return ListenAddress(address: String(address), port: port)
        }
    }
}

extension Draft {
    /// Where metrics are offered, both options together.
    var metricsListen: ListenAddress? {
        settings.metricsListen ?? (offersMetrics ? ListenAddress(address: "127.0.0.1", port: ListenAddress.metricsPort) : nil)
    }
}
