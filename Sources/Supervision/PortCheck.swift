import Glibc

/// A port that somebody wants to listen on.
public struct WantedPort: Sendable, Equatable {
    /// The protocol above IP.
    public enum Transport: String, Sendable { case tcp, udp }

    /// TCP or UDP.
    public var transport: Transport
    /// 1 to 65535.
    public var port: Int
    /// The address in text, IPv4 or IPv6; nil for all of this machine's.
    public var address: String?

    public init(_ transport: Transport, _ port: Int, address: String? = nil) {
        self.transport = transport
        self.port = port
        self.address = address
    }
}

/// Who has a port that is wanted.
public struct PortConflict: Sendable, Equatable {
    /// The port.
    public var wanted: WantedPort
    /// The process; nil when it cannot be seen, for one because it is another user's.
    public var pid: Int32?
    /// Its name, as `ps` shows it.
    public var process: String?
}

extension PortConflict: CustomStringConvertible {
    /// In words, for status reports.
    public var description: String {
        let owner = process.map { name in pid.map { "\(name) (process \($0))" } ?? name } ?? "another program"
        return "\(owner) has port \(wanted.port)/\(wanted.transport.rawValue)"
    }
}

/// Finds out, before a server is started, that another program has its port (proc(5): net/tcp, net/udp).
public enum PortCheck {
    private struct Socket {
        var address: [UInt8]
        var port: Int
        var inode: String
    }

    /// Which of these ports are taken, and by whom.
    ///
    /// - Parameters:
    ///   - wanted: the ports.
    ///   - ignoring: process groups whose ports do not count: our own servers'.
    public static func conflicts(with wanted: [WantedPort], ignoring groups: Set<Int32> = []) -> [PortConflict] {
        var sockets: [WantedPort.Transport: [Socket]] = [:]
        var found: [(wanted: WantedPort, inode: String)] = []
        for port in wanted {
            let listening = sockets[port.transport] ?? Self.listening(port.transport)
            sockets[port.transport] = listening
            let address = port.address.map(bytes(of:)) ?? []
            if let socket = listening.first(where: { $0.port == port.port && overlap($0.address, address) }) {
                found.append((port, socket.inode))
            }
        }
        guard !found.isEmpty else { return [] }
        let owners = Self.owners(of: Set(found.map(\.inode)))
        return found.compactMap { wanted, inode in
            let pid = owners[inode]
            if let pid, let group = ProcessTable.group(of: pid), groups.contains(group) { return nil }
            return PortConflict(wanted: wanted, pid: pid, process: pid.flatMap(ProcessTable.name(of:)))
        }
    }

    private static func listening(_ transport: WantedPort.Transport) -> [Socket] {
        // TCP: 0A is LISTEN. UDP: 07 is a socket that is bound and not connected.
        let state = transport == .tcp ? "0A" : "07"
        return ["", "6"].flatMap { family -> [Socket] in
            // By way of /proc/self: with `ProcSubset=pid`, as in our unit, /proc has no other way to it.
            let lines = ProcessTable.read("/proc/self/net/\(transport.rawValue)\(family)")?.split(separator: "\n").dropFirst() ?? []
            return lines.compactMap { line in
                let fields = line.split(separator: " ", maxSplits: 10)
                guard fields.count > 9, fields[3] == state else { return nil }
                let local = fields[1].split(separator: ":")
                guard local.count == 2, let port = Int(local[1], radix: 16) else { return nil }
                return Socket(address: bytes(ofHex: local[0]), port: port, inode: String(fields[9]))
            }
        }
    }

    /// The kernel prints an address as 32-bit words in its own byte order.
    private static func bytes(ofHex text: Substring) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = text
        while rest.count >= 8 {
            let word = UInt32(rest.prefix(8), radix: 16) ?? 0
            bytes += withUnsafeBytes(of: word) { Array($0) }
            rest = rest.dropFirst(8)
        }
        return bytes
    }

    private static func bytes(of address: String) -> [UInt8] {
        var four = in_addr()
        if inet_pton(AF_INET, address, &four) == 1 { return withUnsafeBytes(of: four) { Array($0) } }
        var six = in6_addr()
        if inet_pton(AF_INET6, address, &six) == 1 { return withUnsafeBytes(of: six) { Array($0) } }
        return []
    }

    /// Whether two listeners on one port would be in each other's way. An empty address is every address.
    private static func overlap(_ taken: [UInt8], _ wanted: [UInt8]) -> Bool {
        func isEverything(_ address: [UInt8]) -> Bool { address.allSatisfy { $0 == 0 } }
        /// IPv4 inside IPv6 (RFC 4291 §2.5.5.2) is that IPv4.
        func plain(_ address: [UInt8]) -> [UInt8] {
            address.count == 16 && address.prefix(10).allSatisfy { $0 == 0 } && address[10] == 0xff && address[11] == 0xff
                ? Array(address.suffix(4)) : address
        }
        if wanted.isEmpty || taken.isEmpty { return true }
        if isEverything(taken) || isEverything(wanted) {
            // :: takes IPv4 too unless its owner said otherwise, which cannot be seen; 0.0.0.0 takes no IPv6.
            return taken.count == wanted.count || (taken.count == 16 ? isEverything(taken) : isEverything(wanted))
        }
        return plain(taken) == plain(wanted)
    }

    private static func owners(of inodes: Set<String>) -> [String: Int32] {
        var owners: [String: Int32] = [:]
        var buffer = [CChar](repeating: 0, count: 64)
        for pid in ProcessTable.processes() {
            for name in ProcessTable.names(in: "/proc/\(pid)/fd") {
                let count = readlink("/proc/\(pid)/fd/\(name)", &buffer, buffer.count)
                guard count > 9 else { continue }
                let link = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
                guard link.hasPrefix("socket:[") else { continue }
                let inode = String(link.dropFirst(8).dropLast())
                if inodes.contains(inode), owners[inode] == nil { owners[inode] = pid }
            }
            if owners.count == inodes.count { break }
        }
        return owners
    }
}
