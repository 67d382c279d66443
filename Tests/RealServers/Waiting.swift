import Glibc
import Synchronization
import SystemPackage

/// Tries until it works; throws the last error at the deadline.
public func eventually(within deadline: Duration = .seconds(20), _ body: () async throws -> Void) async throws {
    let end = ContinuousClock.now + deadline
    while true {
        do {
            return try await body()
        } catch  where ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}

/// A condition that never came true.
public struct NeverTrue: Error {
    /// Where it was waited for.
    public var place: String
}

/// Waits until it is true; throws at the deadline.
public func until(
    within deadline: Duration = .seconds(20), file: String = #fileID, line: Int = #line, _ condition: () async throws -> Bool
) async throws {
    try await eventually(within: deadline) {
        guard try await condition() else { throw NeverTrue(place: "\(file):\(line)") }
    }
}

/// Ports that another test of this process is about to use. Loopback and ReservedPort hand out others than these.
private let handedOut = Mutex<Set<Int>>([])

/// A port of 127.0.0.1 that nobody listens on, outside the range that the kernel hands out.
public func freePort() throws -> Int {
    for _ in 0..<1000 {
        let port = Int.random(in: 25_000..<32_000)
        let nobodyListens = [SOCK_STREAM, SOCK_DGRAM].allSatisfy { isFree(port, Int32($0.rawValue)) }
        if nobodyListens, handedOut.withLock({ $0.insert(port).inserted }) { return port }
    }
    throw Errno.addressInUse
}

private func isFree(_ port: Int, _ type: Int32) -> Bool {
    let descriptor = socket(AF_INET, type, 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
    }
}
