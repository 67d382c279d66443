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
        let connection = try Connection.connected(to: address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)", milliseconds: 10_000)
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
        case .closed, .noStartTLS, .streamError, .nonsense: return .fault(.noChallengeProtocol(address: address, port: port, reason: nil))
        case .tls(let error): return .fault(.noChallengeProtocol(address: address, port: port, reason: error.reasons.last))
        }
    } catch let error as OpenSSLError {
        return .fault(.noChallengeProtocol(address: address, port: port, reason: error.reasons.last))
    } catch {
        return .unknown
    }
}

/// The certificate that is shown to whoever asks for `acme-tls/1`. It is self-signed, so nothing is verified.
private func shown(over connection: consuming Connection, name: String) throws -> Certificate {
    let wanted = "acme-tls/1"
    let session = try TLSSession.established(over: connection, name: name, protocols: [wanted])
    guard session.agreedProtocol == wanted else {
        var error = OpenSSLError("TLS handshake")
        error.reasons = ["no application protocol"]
        throw error
    }
    return try session.certificate()
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
