internal import Glibc

/// The addresses of this machine's interfaces that are more than the machine's own business: no loopback, no link-local ones.
struct MachineAddresses: Sendable, Equatable {
    /// IPv4 that the whole internet knows.
    var four: [String] = []
    /// IPv6 that the whole internet knows.
    var six: [String] = []
    /// IPv4 of a home or a provider's own network: behind NAT.
    var privateFour: [String] = []

    /// Whether `address` is on an interface.
    func holds(_ address: String) -> Bool { (four + six + privateFour).contains(address) }

    /// Whether IPv4 goes out through a NAT.
    var isBehindNAT: Bool { four.isEmpty && !privateFour.isEmpty }

    /// As they are now.
    static func current() -> MachineAddresses {
        var found = MachineAddresses()
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return found }
        defer { freeifaddrs(list) }
        var next = list
        while let entry = next {
            next = entry.pointee.ifa_next
            guard entry.pointee.ifa_flags & UInt32(IFF_UP) != 0, let text = Self.text(entry.pointee.ifa_addr) else { continue }
            switch AddressKind(text) {
            case .global where text.contains(":"): found.six.append(text)
            case .global: found.four.append(text)
            case .private where !text.contains(":"): found.privateFour.append(text)
            case .private, .here, nil: break
            }
        }
        return found
    }

    private static func text(_ address: UnsafeMutablePointer<sockaddr>?) -> String? {
        guard let address else { return nil }
        let size: Int
        switch Int32(address.pointee.sa_family) {
        case AF_INET: size = MemoryLayout<sockaddr_in>.size
        case AF_INET6: size = MemoryLayout<sockaddr_in6>.size
        default: return nil
        }
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard getnameinfo(address, socklen_t(size), &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0 else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// From where an address is reached.
enum AddressKind: Sendable, Equatable {
    /// From everywhere.
    case global
    /// From a network of somebody's own (RFC 1918, RFC 6598, RFC 4193).
    case `private`
    /// From this machine or this wire only.
    case here

    /// nil when the text is no address.
    init?(_ text: String) {
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            let bytes = withUnsafeBytes(of: four) { Array($0) }
            switch (bytes[0], bytes[1]) {
            case (0, _), (127, _), (169, 254): self = .here
            case (10, _), (192, 168), (172, 16...31), (100, 64...127): self = .private
            default: self = bytes[0] >= 224 ? .here : .global
            }
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            let bytes = withUnsafeBytes(of: six) { Array($0) }
            // What is given out is 2000::/3 (RFC 4291 §2.4).
            self = bytes[0] & 0xe0 == 0x20 ? .global : bytes[0] & 0xfe == 0xfc ? .private : .here
        } else {
            return nil
        }
    }
}
