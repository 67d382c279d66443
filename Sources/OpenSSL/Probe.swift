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
    let connection = try TCPConnection.connected(to: address, milliseconds: seconds * 1000)
    if let startTLS { try startTLS.negotiate(on: connection, name: stream ?? name) }
    do {
        return try handshake(over: connection, name: name, roots: roots)
    } catch let error as ProbeError {
        throw error
    } catch let error as OpenSSLError {
        throw .tls(error)
    } catch {
        throw .closed
    }
}

private func handshake(over connection: borrowing TCPConnection, name: String, roots: String?) throws -> ServedCertificate {
    let context = try some(SSL_CTX_new(TLS_client_method()), "SSL_CTX_new")
    defer { SSL_CTX_free(context) }
    try succeed(snikket_openssl_require_tls12(context), "SSL_CTX_set_min_proto_version")
    if let roots {
        try succeed(SSL_CTX_load_verify_file(context, roots), "reading \(roots)")
    } else {
        try succeed(SSL_CTX_set_default_verify_paths(context), "SSL_CTX_set_default_verify_paths")
    }
    // The handshake goes on whatever the certificate is: the verdict is part of the answer.
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
    let session = try some(SSL_new(context), "SSL_new")
    defer { SSL_free(session) }
    try succeed(snikket_openssl_set_server_name(session, name), "SSL_set_tlsext_host_name")
    try succeed(SSL_set1_host(session, name), "SSL_set1_host")
    try succeed(SSL_set_fd(session, connection.descriptor), "SSL_set_fd")
    while true {
        let result = SSL_connect(session)
        if result == 1 { break }
        switch SSL_get_error(session, result) {
        case SSL_ERROR_WANT_READ: try connection.wait(for: POLLIN)
        case SSL_ERROR_WANT_WRITE: try connection.wait(for: POLLOUT)
        case SSL_ERROR_SYSCALL where ERR_peek_error() == 0: throw ProbeError.closed
        default: throw OpenSSLError("TLS handshake")
        }
    }
    let certificate = try Certificate(some(SSL_get1_peer_certificate(session), "SSL_get1_peer_certificate"))
    let verdict = Int32(SSL_get_verify_result(session))
    SSL_shutdown(session)
    ERR_clear_error()
    return ServedCertificate(certificate: certificate, refusal: verdict == X509_V_OK ? nil : verificationText(verdict))
}
