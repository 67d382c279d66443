internal import COpenSSL

/// A certificate signing request (RFC 2986) for the names, in DER, as `finalize` wants it (RFC 8555 §7.4).
///
/// The subject stays empty: all names are in subjectAltName.
public func signingRequest(names: [String], key: PrivateKey) throws(OpenSSLError) -> [UInt8] {
    let request = try some(X509_REQ_new(), "X509_REQ_new")
    defer { X509_REQ_free(request) }
    try succeed(X509_REQ_set_version(request, 0), "X509_REQ_set_version")
    try succeed(X509_REQ_set_pubkey(request, key.handle.pointer), "X509_REQ_set_pubkey")

    let extensions = try some(snikket_openssl_extensions_new(), "sk_X509_EXTENSION_new_null")
    defer { snikket_openssl_extensions_free(extensions) }
    // Critical, because the subject is empty (RFC 5280 §4.2.1.6).
    let alternatives = try makeExtension(NID_subject_alt_name, "critical," + subjectAlternativeNames(names))
    guard snikket_openssl_extensions_push(extensions, alternatives) > 0 else {
        X509_EXTENSION_free(alternatives)
        throw OpenSSLError("sk_X509_EXTENSION_push")
    }
    try succeed(X509_REQ_add_extensions(request, extensions), "X509_REQ_add_extensions")
    guard X509_REQ_sign(request, key.handle.pointer, EVP_sha256()) > 0 else { throw OpenSSLError("X509_REQ_sign") }

    let count = i2d_X509_REQ(request, nil)
    guard count > 0 else { throw OpenSSLError("i2d_X509_REQ") }
    var der = [UInt8](repeating: 0, count: Int(count))
    let written = der.withUnsafeMutableBufferPointer { buffer in
        var start = buffer.baseAddress
        return i2d_X509_REQ(request, &start)
    }
    guard written == count else { throw OpenSSLError("i2d_X509_REQ") }
    return der
}
