/// Why a DNS server has not told what it was asked.
public enum DNSError: Error, Sendable, Equatable {
    /// No connection, or no answer in time: EAGAIN.
    case connection(errno: Int32)
    /// What was given as its address is none, with a port.
    case badAddress
    /// The answer cannot be read.
    case nonsense
    /// No zone has this name in it.
    case noZone
    /// The server refuses: its response code (RFC 1035 §4.1.1, RFC 2136 §2.2, RFC 8945 §3).
    case refused(code: Int)
}
