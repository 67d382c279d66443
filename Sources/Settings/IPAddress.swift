internal import Glibc

/// IP addresses, as far as settings need them.
enum IPAddress {
    /// The usual form of an IPv4 or IPv6 address (RFC 5952); nil when it is none. Zones (`%eth0`) are refused.
    static func normal(_ text: String) -> String? {
        for (family, length) in [(AF_INET, INET_ADDRSTRLEN), (AF_INET6, INET6_ADDRSTRLEN)] {
            var address = in6_addr()
            guard inet_pton(family, text, &address) == 1 else { continue }
            var buffer = [CChar](repeating: 0, count: Int(length))
            guard inet_ntop(family, &address, &buffer, socklen_t(length)) != nil else { continue }
            return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        return nil
    }
}
