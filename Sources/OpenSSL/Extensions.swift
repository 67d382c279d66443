internal import COpenSSL
internal import Glibc

/// A name that a certificate can hold: what may be written into OpenSSL's textual form without changing its meaning.
enum SubjectName {
    case dns(String)
    case ip(String)

    /// nil unless it is an address, or a host name of letters, digits and hyphens (RFC 5890 A-labels), lower case,
    /// with `*` at most as the first label.
    init?(_ text: String) {
        // For C a NUL is the end: what stands behind it would be lost, and with it the names that follow.
        guard !text.utf8.contains(0) else { return nil }
        var address = in6_addr()
        if inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1 {
            self = .ip(text)
            return
        }
        var labels = text.split(separator: ".", omittingEmptySubsequences: false)
        if labels.count > 2, labels.first == "*" { labels.removeFirst() }
        let allowed = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d }
        }
        guard allowed, text.utf8.count <= 253 else { return nil }
        self = .dns(text)
    }

    var entry: String {
        switch self {
        case .dns(let name): "DNS:\(name)"
        case .ip(let address): "IP:\(address)"
        }
    }
}

/// The value of a subjectAltName extension (RFC 5280 §4.2.1.6) in OpenSSL's textual form.
func subjectAlternativeNames(_ names: [String]) throws(OpenSSLError) -> String {
    var entries: [String] = []
    for name in names {
        guard let subject = SubjectName(name) else {
            var error = OpenSSLError("taking '\(name)' into a certificate")
            error.reasons = ["it is no host name in ASCII form and no address"]
            throw error
        }
        entries.append(subject.entry)
    }
    return entries.joined(separator: ",")
}

/// An extension from its textual form (x509v3_config(5)). The caller frees it.
func makeExtension(
    _ nid: Int32, _ value: String, subject: OpaquePointer? = nil, issuer: OpaquePointer? = nil
) throws(OpenSSLError) -> OpaquePointer {
    var context = v3_ext_ctx()
    X509V3_set_ctx(&context, issuer, subject, nil, nil, 0)
    return try some(X509V3_EXT_nconf_nid(nil, &context, nid, value), "making the extension \(value)")
}

/// Whether a certificate may be asked for this: a host name in ASCII form, lower case, or an address.
public func isSubjectName(_ text: String) -> Bool { SubjectName(text) != nil }
