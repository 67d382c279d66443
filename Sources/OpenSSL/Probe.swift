internal import COpenSSL
internal import Glibc

/// What a TLS server shows.
public struct ServedCertificate: Sendable {
    /// The certificate it serves.
    public let certificate: Certificate
    /// Why a client that trusts the given roots would refuse it; nil when it would not.
    public let refusal: String?
}

/// Why a TLS server's certificate could not be seen.
public enum ProbeError: Error, Sendable, Equatable {
    /// `ADDR:PORT` is none.
    case badAddress(String)
    /// The connection failed; errno.
    case connect(errno: Int32)
    /// The deadline passed.
    case timedOut
    /// The server closed the connection.
    case closed
    /// The XMPP stream offers no STARTTLS (RFC 6120 §5.4).
    case noStartTLS
    /// The server ends the XMPP stream: its condition (RFC 6120 §4.9.3).
    case streamError(String)
    /// The server answers something that is not its protocol.
    case nonsense
    /// The TLS handshake failed.
    case tls(OpenSSLError)
}

/// Connects, shakes hands and reports the certificate that is served.
///
/// - Parameters:
///   - address: an IPv4 address, or an IPv6 one in brackets, then `:` and the port.
///   - name: the host name: sent as SNI, and compared with the certificate.
///   - startTLS: how to ask for TLS first; nil for direct TLS.
///   - stream: the XMPP domain of the stream in which TLS is asked for; nil when it is `name`.
///   - roots: a PEM file of roots to trust; nil for the system's.
///   - seconds: for everything together.
public func probe(
    address: String, name: String, startTLS: StartTLS?, stream: String? = nil, roots: String?, seconds: Int
) throws(ProbeError) -> ServedCertificate {
    let connection = try Connection.connected(to: address, milliseconds: seconds * 1000)
    if let startTLS { try startTLS.negotiate(on: connection, name: stream ?? name) }
    let session = try TLSSession.established(over: connection, name: name, trusting: roots.map { .file($0) } ?? .system)
    return ServedCertificate(certificate: try session.certificate(), refusal: session.refusal)
}
