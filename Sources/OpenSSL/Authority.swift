internal import COpenSSL
internal import Glibc

/// A certificate authority of our own: what `snikket try` and a LAN use.
public struct Authority: Sendable {
    /// Its certificate, which people import.
    public let certificate: Certificate
    /// Its key.
    public let key: PrivateKey

    /// Loads an authority.
    public init(certificate: Certificate, key: PrivateKey) {
        self.certificate = certificate
        self.key = key
    }

    /// Makes an authority that can only vouch for these domains and what is below them, and for loopback addresses: whoever
    /// imports its certificate trusts it with nothing else (RFC 5280 §4.2.1.10).
    ///
    /// - Parameter now: seconds since 1970; it is valid from an hour before, for ten years.
    public init(domains: [String], now: Int) throws(OpenSSLError) {
        let key = try PrivateKey()
        let pointer = try unsigned(
            key: key, organization: "Snikket", commonName: "Snikket local authority \(domains.first ?? "")",
            notBefore: now - 3600, notAfter: now + 3650 * 86400)
        let certificate = try Certificate(pointer)
        try succeed(X509_set_issuer_name(pointer, X509_get_subject_name(pointer)), "X509_set_issuer_name")
        var permitted = ["permitted;IP:127.0.0.0/255.0.0.0", "permitted;IP:::1/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]
        for domain in domains {
            if case .dns(let name) = SubjectName(domain) { permitted.append("permitted;DNS:\(name)") }
        }
        try add(
            [
                (NID_basic_constraints, "critical,CA:TRUE,pathlen:0"),
                (NID_key_usage, "critical,keyCertSign,cRLSign"),
                (NID_subject_key_identifier, "hash"),
                (NID_name_constraints, "critical," + permitted.joined(separator: ",")),
            ], to: pointer, issuer: pointer)
        guard X509_sign(pointer, key.handle.pointer, EVP_sha256()) > 0 else { throw OpenSSLError("X509_sign") }
        // Read anew, now that it is complete.
        guard let complete = try Certificate.chain(pem: certificate.pem()).first else { throw OpenSSLError("X509_sign") }
        self.init(certificate: complete, key: key)
    }

    /// Issues a server certificate for the names, valid from an hour before `now` (seconds since 1970).
    public func issue(names: [String], key leafKey: PrivateKey, now: Int, days: Int = 90) throws(OpenSSLError) -> Certificate {
        let pointer = try unsigned(
            key: leafKey, organization: nil, commonName: names.first.map { String($0.prefix(64)) } ?? "",
            notBefore: now - 3600, notAfter: min(now + days * 86400, certificate.notAfter))
        let made = try Certificate(pointer)
        try succeed(X509_set_issuer_name(pointer, X509_get_subject_name(certificate.handle.pointer)), "X509_set_issuer_name")
        try add(
            [
                (NID_basic_constraints, "critical,CA:FALSE"),
                (NID_key_usage, "critical,digitalSignature"),
                (NID_ext_key_usage, "serverAuth,clientAuth"),
                (NID_subject_key_identifier, "hash"),
                (NID_authority_key_identifier, "keyid:always"),
                (NID_subject_alt_name, subjectAlternativeNames(names)),
            ], to: pointer, issuer: certificate.handle.pointer)
        guard X509_sign(pointer, key.handle.pointer, EVP_sha256()) > 0 else { throw OpenSSLError("X509_sign") }
        guard let complete = try Certificate.chain(pem: made.pem()).first else { throw OpenSSLError("X509_sign") }
        return complete
    }
}

/// A certificate for one name, signed with its own key: for tls-alpn-01 (RFC 8737 §3), valid for a day.
func selfSigned(key: PrivateKey, name: String, now: Int, acmeIdentifier: String) throws(OpenSSLError) -> Certificate {
    let pointer = try unsigned(key: key, organization: nil, commonName: name, notBefore: now - 3600, notAfter: now + 86400)
    let made = try Certificate(pointer)
    try succeed(X509_set_issuer_name(pointer, X509_get_subject_name(pointer)), "X509_set_issuer_name")
    try add([(NID_subject_alt_name, subjectAlternativeNames([name]))], to: pointer, issuer: pointer)
    // OpenSSL 3.0 knows no name for it.
    let identifier = try some(X509V3_EXT_conf(nil, nil, "1.3.6.1.5.5.7.1.31", acmeIdentifier), "making the extension acmeIdentifier")
    defer { X509_EXTENSION_free(identifier) }
    try succeed(X509_add_ext(pointer, identifier, -1), "X509_add_ext")
    guard X509_sign(pointer, key.handle.pointer, EVP_sha256()) > 0 else { throw OpenSSLError("X509_sign") }
    return made
}

/// A version 3 certificate with everything but extensions, issuer and signature. The caller owns it.
private func unsigned(
    key: PrivateKey, organization: String?, commonName: String, notBefore: Int, notAfter: Int
) throws(OpenSSLError) -> OpaquePointer {
    let pointer = try some(X509_new(), "X509_new")
    do throws(OpenSSLError) {
        try succeed(X509_set_version(pointer, 2), "X509_set_version")
        try setSerial(of: pointer)
        _ = try some(ASN1_TIME_set(X509_getm_notBefore(pointer), time_t(notBefore)), "ASN1_TIME_set")
        _ = try some(ASN1_TIME_set(X509_getm_notAfter(pointer), time_t(notAfter)), "ASN1_TIME_set")
        try succeed(X509_set_pubkey(pointer, key.handle.pointer), "X509_set_pubkey")
        let subject = X509_get_subject_name(pointer)
        if let organization {
            try succeed(X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_FLAG | 0, organization, -1, -1, 0), "X509_NAME_add_entry")
        }
        try succeed(
            X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_FLAG | 0, String(commonName.prefix(64)), -1, -1, 0),
            "X509_NAME_add_entry")
        return pointer
    } catch {
        X509_free(pointer)
        throw error
    }
}

/// 127 random bits, positive (RFC 5280 §4.1.2.2).
private func setSerial(of certificate: OpaquePointer) throws(OpenSSLError) {
    let number = try some(BN_new(), "BN_new")
    defer { BN_free(number) }
    try succeed(BN_rand(number, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY), "BN_rand")
    _ = try some(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)), "BN_to_ASN1_INTEGER")
}

private func add(
    _ extensions: [(nid: Int32, value: String)], to certificate: OpaquePointer, issuer: OpaquePointer
) throws(OpenSSLError) {
    for (nid, value) in extensions {
        let made = try makeExtension(nid, value, subject: certificate, issuer: issuer)
        defer { X509_EXTENSION_free(made) }
        try succeed(X509_add_ext(certificate, made, -1), "X509_add_ext")
    }
}
