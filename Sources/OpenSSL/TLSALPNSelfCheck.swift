public import ACME
internal import COpenSSL
internal import Dispatch
internal import Glibc

/// Looks at a tls-alpn-01 answer the way a CA does (RFC 8737 §3): every address of the name, port 443, nothing but `acme-tls/1` offered.
public struct TLSALPNSelfCheck: SelfCheck {
    private let places: CheckedPlaces

    /// - Parameters:
    ///   - port: where the CA looks: 443, but for CAs in tests.
    ///   - resolutions: names whose addresses are not to be looked up.
    public init(port: Int = 443, resolutions: [Resolution] = []) {
        places = CheckedPlaces(port: port, resolutions: resolutions)
        // OpenSSL writes to sockets whose other end may have gone.
        signal(SIGPIPE, SIG_IGN)
    }

    public func check(_ answer: ChallengeAnswer) async -> SelfCheckVerdict {
        await places.check(answer.name) { address, port in
            await withCheckedContinuation { continuation in
                DispatchQueue.global().async { continuation.resume(returning: look(for: answer, at: address, port: port)) }
            }
        }
    }
}

/// Blocks its thread, at most ten seconds.
private func look(for answer: ChallengeAnswer, at address: String, port: Int) -> SelfCheckVerdict {
    do {
        let connection = try TCPConnection.connected(to: address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)", milliseconds: 10_000)
        let certificate = try shown(over: connection, name: answer.name)
        if certificate.names == [answer.name], holds(certificate, answer.digest) { return .found }
        return .fault(.wrongCertificate(address: address, port: port, names: certificate.names))
    } catch let error as ProbeError {
        switch error {
        // This machine has no way there, which says nothing about the CA: mostly an IPv4 machine and an IPv6 address.
        case .connect(ENETUNREACH), .connect(EAFNOSUPPORT), .connect(EADDRNOTAVAIL), .badAddress: return .unknown
        case .connect(let code):
            return .fault(.unreachable(address: address, port: port, TransportError(kind: .connect, code: 0, text: "", errno: code)))
        case .timedOut: return .fault(.unreachable(address: address, port: port, TransportError(kind: .timeout, code: 0, text: "")))
        case .closed, .noStartTLS: return .fault(.noChallengeProtocol(address: address, port: port, reason: nil))
        case .tls(let error): return .fault(.noChallengeProtocol(address: address, port: port, reason: error.reasons.last))
        }
    } catch let error as OpenSSLError {
        return .fault(.noChallengeProtocol(address: address, port: port, reason: error.reasons.last))
    } catch {
        return .unknown
    }
}

/// The certificate that is shown to whoever asks for `acme-tls/1`. It is self-signed, so nothing is verified.
private func shown(over connection: borrowing TCPConnection, name: String) throws -> Certificate {
    let context = try some(SSL_CTX_new(TLS_client_method()), "SSL_CTX_new")
    defer {
        SSL_CTX_free(context)
        ERR_clear_error()
    }
    try succeed(snikket_openssl_require_tls12(context), "SSL_CTX_set_min_proto_version")
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
    let session = try some(SSL_new(context), "SSL_new")
    defer { SSL_free(session) }
    try succeed(snikket_openssl_set_server_name(session, name), "SSL_set_tlsext_host_name")
    let wanted = Array("acme-tls/1".utf8)
    let offered = [UInt8(wanted.count)] + wanted
    // The one function that answers 0 for success.
    guard SSL_set_alpn_protos(session, offered, UInt32(offered.count)) == 0 else { throw OpenSSLError("SSL_set_alpn_protos") }
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
    var start: UnsafePointer<UInt8>?
    var count: UInt32 = 0
    SSL_get0_alpn_selected(session, &start, &count)
    guard Array(UnsafeBufferPointer(start: start, count: Int(count))) == wanted else {
        var error = OpenSSLError("TLS handshake")
        error.reasons = ["no application protocol"]
        throw error
    }
    defer { SSL_shutdown(session) }
    return try Certificate(some(SSL_get1_peer_certificate(session), "SSL_get1_peer_certificate"))
}

/// Whether the certificate has the digest in a critical acmeIdentifier (RFC 8737 §3): an OCTET STRING of 32 bytes.
private func holds(_ certificate: Certificate, _ digest: [UInt8]) -> Bool {
    // OpenSSL 3.0 knows no name for it.
    guard let identifier = OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1) else { return false }
    defer { ASN1_OBJECT_free(identifier) }
    let index = X509_get_ext_by_OBJ(certificate.handle.pointer, identifier, -1)
    guard index >= 0, let found = X509_get_ext(certificate.handle.pointer, index), X509_EXTENSION_get_critical(found) == 1,
        let data = X509_EXTENSION_get_data(found), let start = ASN1_STRING_get0_data(data)
    else { return false }
    return Array(UnsafeBufferPointer(start: start, count: Int(ASN1_STRING_length(data)))) == [0x04, UInt8(digest.count)] + digest
}
