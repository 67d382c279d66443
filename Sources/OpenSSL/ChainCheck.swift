internal import COpenSSL
internal import Glibc

/// Why a certificate must not be put into use.
public enum CertificateProblem: Error, Sendable, Equatable {
    /// The PEM text could not be read.
    case unreadableCertificate(OpenSSLError)
    /// The private key could not be read.
    case unreadableKey(OpenSSLError)
    /// The key belongs to another certificate.
    case keyMismatch
    /// The certificate does not hold these names.
    case missingNames([String], held: [String])
    /// It ended; seconds since 1970. `subject` is nil for the certificate itself, else the name of the one in the chain.
    case expired(notAfter: Int, subject: String?)
    /// It is not valid before this second (since 1970): this machine's clock may be wrong.
    case notYetValid(notBefore: Int, subject: String?)
    /// No certificate of `issuer` follows: the chain has a hole.
    case incompleteChain(issuer: String)
    /// It was signed by itself: nobody will trust it.
    case selfSigned
    /// OpenSSL rejects the chain for another reason.
    case badChain(reason: String)
    /// OpenSSL failed while looking.
    case openSSL(OpenSSLError)
}

/// Checks that a chain can be put into use: for this key, with all names, valid now, each certificate signed by the next.
///
/// The last certificate of the chain is the anchor: which roots a client trusts is the client's matter. A lone certificate has to
/// be issued by a root that this system knows. Returns the certificate itself, the first of the chain.
public func checkedCertificate(
    chain pem: [UInt8], key keyPEM: [UInt8], names: [String], now: Int
) throws(CertificateProblem) -> Certificate {
    let chain: [Certificate]
    do { chain = try Certificate.chain(pem: pem) } catch { throw .unreadableCertificate(error) }
    guard let leaf = chain.first else { throw .unreadableCertificate(OpenSSLError("reading certificates")) }
    let key: PrivateKey
    do { key = try PrivateKey(pem: keyPEM) } catch { throw .unreadableKey(error) }

    // A CA's clock may be a little ahead of ours.
    let now = chain.map(\.notBefore).max().map { $0 > now && $0 <= now + 300 ? $0 : now } ?? now

    guard leaf.matches(key) else { throw .keyMismatch }
    let missing = names.filter { !leaf.covers($0) }
    guard missing.isEmpty else { throw .missingNames(missing, held: leaf.names) }
    for (index, certificate) in chain.enumerated() {
        let subject = index == 0 ? nil : certificate.subject
        if certificate.notAfter < now { throw .expired(notAfter: certificate.notAfter, subject: subject) }
        if certificate.notBefore > now { throw .notYetValid(notBefore: certificate.notBefore, subject: subject) }
    }
    do {
        try verify(leaf, chain: chain, now: now)
    } catch let problem as CertificateProblem {
        throw problem
    } catch let error as OpenSSLError {
        throw .openSSL(error)
    } catch {
        throw .badChain(reason: "\(error)")
    }
    return leaf
}

private func verify(_ leaf: Certificate, chain: [Certificate], now: Int) throws {
    let store = try some(X509_STORE_new(), "X509_STORE_new")
    defer { X509_STORE_free(store) }
    if chain.count > 1, let anchor = chain.last {
        try succeed(X509_STORE_add_cert(store, anchor.handle.pointer), "X509_STORE_add_cert")
    } else {
        if X509_self_signed(leaf.handle.pointer, 0) == 1 { throw CertificateProblem.selfSigned }
        try succeed(X509_STORE_set_default_paths(store), "X509_STORE_set_default_paths")
    }
    let others = try some(snikket_openssl_chain_new(), "sk_X509_new_null")
    defer { snikket_openssl_chain_free(others) }
    for certificate in chain.dropFirst() where snikket_openssl_chain_push(others, certificate.handle.pointer) <= 0 {
        throw OpenSSLError("sk_X509_push")
    }
    let context = try some(X509_STORE_CTX_new(), "X509_STORE_CTX_new")
    defer { X509_STORE_CTX_free(context) }
    try succeed(X509_STORE_CTX_init(context, store, leaf.handle.pointer, others), "X509_STORE_CTX_init")
    let parameters = X509_STORE_CTX_get0_param(context)
    // The anchor may be an intermediate: servers leave the root out.
    try succeed(X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_PARTIAL_CHAIN)), "X509_VERIFY_PARAM_set_flags")
    try succeed(X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER), "X509_VERIFY_PARAM_set_purpose")
    X509_VERIFY_PARAM_set_time(parameters, time_t(now))
    let result = X509_verify_cert(context)
    defer { ERR_clear_error() }
    guard result != 1 else { return }
    let code = X509_STORE_CTX_get_error(context)
    switch code {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
        X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        let stopped = X509_STORE_CTX_get_current_cert(context)
        let at = chain.first { X509_cmp($0.handle.pointer, stopped) == 0 } ?? leaf
        throw CertificateProblem.incompleteChain(issuer: at.issuer)
    default:
        throw CertificateProblem.badChain(reason: verificationText(code))
    }
}

/// OpenSSL's words for an X509_V_ERR code.
func verificationText(_ code: Int32) -> String {
    X509_verify_cert_error_string(Int(code)).map { String(cString: $0) } ?? "error \(code)"
}
