internal import COpenSSL
internal import Glibc

/// An X509, owned. Unchecked: nothing here changes a certificate once it is made.
struct CertificateHandle: ~Copyable, @unchecked Sendable {
    let pointer: OpaquePointer
    init(_ pointer: OpaquePointer) { self.pointer = pointer }
    deinit { X509_free(pointer) }
}

/// A certificate, read.
public final class Certificate: Sendable {
    let handle: CertificateHandle
    /// DNS names and addresses of subjectAltName, lower case, in their order.
    public let names: [String]
    /// The issuer for people: its organization and common name.
    public let issuer: String
    /// The subject, the same way; empty when it has neither.
    public let subject: String
    /// Lower-case hexadecimal, two digits a byte.
    public let serial: String
    /// Seconds since 1970.
    public let notBefore: Int
    /// Seconds since 1970.
    public let notAfter: Int

    /// Takes the reference over.
    init(_ pointer: OpaquePointer) throws(OpenSSLError) {
        handle = CertificateHandle(pointer)
        names = alternativeNames(of: pointer)
        issuer = readableName(X509_get_issuer_name(pointer))
        subject = readableName(X509_get_subject_name(pointer))
        serial = try hexadecimal(X509_get0_serialNumber(pointer))
        notBefore = try seconds(X509_get0_notBefore(pointer))
        notAfter = try seconds(X509_get0_notAfter(pointer))
    }

    /// Every certificate of a PEM file, in its order; at most 16.
    public static func chain(pem: [UInt8]) throws(OpenSSLError) -> [Certificate] {
        let memory = try Memory.holding(pem)
        var chain: [Certificate] = []
        while chain.count < 16, let pointer = PEM_read_bio_X509(memory.pointer, nil, snikket_openssl_no_password, nil) {
            chain.append(try Certificate(pointer))
        }
        let code = ERR_peek_last_error()
        // The end of the file is reported as 'no start line': that is how the loop ends.
        let ended = ERR_GET_REASON(code) == PEM_R_NO_START_LINE
        if chain.isEmpty || !(ended || code == 0) { throw OpenSSLError("reading certificates") }
        ERR_clear_error()
        return chain
    }

    /// The certificate as PEM.
    public func pem() throws(OpenSSLError) -> [UInt8] {
        let memory = try Memory()
        try succeed(PEM_write_bio_X509(memory.pointer, handle.pointer), "PEM_write_bio_X509")
        return memory.contents
    }

    /// Whether the certificate holds this name or address, wildcards considered (RFC 6125 §6.4).
    public func covers(_ name: String) -> Bool {
        // For C a NUL is the end: an address with more behind it is none.
        guard !name.utf8.contains(0) else { return false }
        return X509_check_host(handle.pointer, name, name.utf8.count, UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT), nil) == 1
            || X509_check_ip_asc(handle.pointer, name, 0) == 1
    }

    /// The beginning of a chain in which each certificate is followed by its issuer: what servers send, without what follows and does not belong.
    public static func line(of chain: [Certificate]) -> [Certificate] {
        defer { ERR_clear_error() }
        guard let first = chain.first else { return [] }
        var line = [first]
        for (certificate, issuer) in zip(chain, chain.dropFirst()) {
            guard X509_check_issued(issuer.handle.pointer, certificate.handle.pointer) == X509_V_OK else { break }
            line.append(issuer)
        }
        return line
    }

    /// Whether the certificate is for this key.
    public func matches(_ key: PrivateKey) -> Bool {
        defer { ERR_clear_error() }
        return X509_check_private_key(handle.pointer, key.handle.pointer) == 1
    }
}

private func alternativeNames(of certificate: OpaquePointer) -> [String] {
    guard let raw = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else {
        ERR_clear_error()
        return []
    }
    let list = OpaquePointer(raw)
    defer { GENERAL_NAMES_free(list) }
    var names: [String] = []
    for index in 0..<snikket_openssl_names_count(list) {
        var kind: Int32 = 0
        guard let value = GENERAL_NAME_get0_value(snikket_openssl_names_at(list, index), &kind),
            kind == GEN_DNS || kind == GEN_IPADD
        else { continue }
        let string = value.assumingMemoryBound(to: ASN1_STRING.self)
        guard let start = ASN1_STRING_get0_data(string) else { continue }
        let bytes = Array(UnsafeBufferPointer(start: start, count: Int(ASN1_STRING_length(string))))
        if kind == GEN_DNS {
            names.append(printable(String(decoding: bytes, as: UTF8.self)).lowercased())
        } else if let address = addressText(bytes) {
            names.append(address)
        }
    }
    return names
}

private func addressText(_ bytes: [UInt8]) -> String? {
    guard bytes.count == 4 || bytes.count == 16 else { return nil }
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    guard inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count)) != nil else { return nil }
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// What comes out of a certificate ends on terminals and pages: no control characters, and nothing that turns the direction of writing.
private func printable(_ text: String) -> String {
    String(
        String.UnicodeScalarView(
            text.unicodeScalars.filter {
                switch $0.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator: false
                default: true
                }
            }))
}

private func readableName(_ name: OpaquePointer?) -> String {
    let organization = entry(NID_organizationName, of: name)
    let common = entry(NID_commonName, of: name)
    if let organization, let common, !common.hasPrefix(organization) { return "\(organization) \(common)" }
    return common ?? organization ?? ""
}

private func entry(_ nid: Int32, of name: OpaquePointer?) -> String? {
    let index = X509_NAME_get_index_by_NID(name, nid, -1)
    guard index >= 0, let data = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index)) else { return nil }
    var text: UnsafeMutablePointer<UInt8>?
    let count = ASN1_STRING_to_UTF8(&text, data)
    guard count >= 0, let text else { return nil }
    defer { CRYPTO_free(text, nil, 0) }
    return printable(String(decoding: UnsafeBufferPointer(start: text, count: Int(count)), as: UTF8.self))
}

private func hexadecimal(_ integer: UnsafePointer<ASN1_INTEGER>?) throws(OpenSSLError) -> String {
    let number = try some(ASN1_INTEGER_to_BN(integer, nil), "ASN1_INTEGER_to_BN")
    defer { BN_free(number) }
    let text = try some(BN_bn2hex(number), "BN_bn2hex")
    defer { CRYPTO_free(text, nil, 0) }
    return String(cString: text).lowercased()
}

private func seconds(_ time: UnsafePointer<ASN1_TIME>?) throws(OpenSSLError) -> Int {
    var parts = tm()
    try succeed(ASN1_TIME_to_tm(time, &parts), "ASN1_TIME_to_tm")
    return timegm(&parts)
}
