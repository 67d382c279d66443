internal import Glibc

/// IP addresses, as far as settings and commands need them.
public enum IPAddress {
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

    /// Whether it is this machine itself (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3), in its usual form.
    static func isLoopback(_ text: String) -> Bool { text.hasPrefix("127.") || text == "::1" }

    /// The usual form of an address, or of a network: an address with `/` and the number of its bits behind it (RFC 4632 §3.1, RFC 4291 §2.3).
    static func network(_ text: String) -> String? {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = normal(String(parts[0])) else { return nil }
        guard parts.count > 1 else { return address }
        guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let bits = Int(parts[1]), bits <= (address.contains(":") ? 128 : 32) else {
            return nil
        }
        return "\(address)/\(bits)"
    }

    /// Whether the internet does not reach an address: loopback (RFC 1122, RFC 4291), private networks (RFC 1918, RFC 4193), and those that
    /// carriers and overlay networks share (RFC 6598).
    ///
    /// - Parameter text: in its usual form.
    static func isPrivate(_ text: String) -> Bool {
        var address = in6_addr()
        if inet_pton(AF_INET6, text, &address) == 1 {
            let bytes = withUnsafeBytes(of: &address) { Array($0.prefix(16)) }
            return bytes == [UInt8](repeating: 0, count: 15) + [1] || bytes[0] & 0xFE == 0xFC
        }
        guard inet_pton(AF_INET, text, &address) == 1 else { return false }
        let bytes = withUnsafeBytes(of: &address) { Array($0.prefix(4)) }
        return switch bytes[0] {
        case 127, 10: true
        case 172: (16...31).contains(bytes[1])
        case 192: bytes[1] == 168
        case 100: (64...127).contains(bytes[1])
        default: false
        }
    }

    /// The usual form of an address with a port (RFC 3986 §3.2.2): `192.0.2.1:53`, `[2001:db8::1]:53`; nil when it is none.
    ///
    /// - Parameter port: what holds when there is none.
    public static func endpoint(_ text: String, port: Int) -> String? {
        func whole(_ address: Substring, _ port: Int?) -> String? {
            guard let port, (1...65535).contains(port), let address = normal(String(address)) else { return nil }
            return address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
        }
        func number(_ digits: Substring) -> Int? { digits.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(digits) : nil }
        if normal(text) != nil { return whole(text[...], port) }
        if text.hasPrefix("["), let end = text.lastIndex(of: "]") {
            let (address, rest) = (text[text.index(after: text.startIndex)..<end], text[text.index(after: end)...])
            guard address.contains(":") else { return nil }
            return rest.isEmpty ? whole(address, port) : rest.hasPrefix(":") ? whole(address, number(rest.dropFirst())) : nil
        }
        guard let colon = text.lastIndex(of: ":"), !text[..<colon].contains(":") else { return nil }
        return whole(text[..<colon], number(text[text.index(after: colon)...]))
    }
}
