import Glibc

extension PortCheck {
    /// Whether one of these ports cannot be had now: only tried, which takes microseconds and does not say who has it.
    static func isTaken(_ wanted: [WantedPort]) -> Bool {
        wanted.contains { refusals(of: $0).contains(EADDRINUSE) }
    }

    /// The first of these ports that is not for us, whoever has it: low ones are for root, and whoever has CAP_NET_BIND_SERVICE (capabilities(7)).
    public static func forbidden(of wanted: [WantedPort]) -> WantedPort? {
        wanted.first { refusals(of: $0).contains(EACCES) }
    }

    /// What the system says to who wants to listen there: a number of errno(3) for each address.
    private static func refusals(of wanted: WantedPort) -> [Int32] {
        (wanted.address.map { [$0] } ?? ["0.0.0.0", "::"]).compactMap { refusal(of: wanted, $0) }
    }

    private static func refusal(of wanted: WantedPort, _ address: String) -> Int32? {
        var four = sockaddr_in()
        four.sin_family = sa_family_t(AF_INET)
        four.sin_port = in_port_t(wanted.port).bigEndian
        if inet_pton(AF_INET, address, &four.sin_addr) == 1 { return refusal(of: wanted.transport, AF_INET, four) }
        var six = sockaddr_in6()
        six.sin6_family = sa_family_t(AF_INET6)
        six.sin6_port = in_port_t(wanted.port).bigEndian
        return inet_pton(AF_INET6, address, &six.sin6_addr) == 1 ? refusal(of: wanted.transport, AF_INET6, six) : nil
    }

    private static func refusal<Address>(of transport: WantedPort.Transport, _ family: Int32, _ address: Address) -> Int32? {
        let kind = Int32((transport == .tcp ? SOCK_STREAM : SOCK_DGRAM).rawValue)
        let descriptor = socket(family, kind | Int32(SOCK_CLOEXEC.rawValue), 0)
        // No such protocol on this machine, or no more files: not for us to judge.
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var yes: Int32 = 1
        // Connections that outlive a server do not keep its port from the next one, as they do not in the servers themselves.
        if transport == .tcp { setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size)) }
        if family == AF_INET6 { setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &yes, socklen_t(MemoryLayout<Int32>.size)) }
        let result = withUnsafeBytes(of: address) { bytes in
            bind(descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
        return result == 0 ? nil : errno
    }
}
