import CIDN2

extension Settings {
    /// The chat service's domain as it stands in addresses: with U-labels (RFC 7622 §3.2). ``domain`` is the same for DNS, TLS and HTTP.
    public var chatHost: String {
        guard domain.contains("xn--") else { return domain }
        var output: UnsafeMutablePointer<CChar>?
        defer { idn2_free(output) }
        guard idn2_to_unicode_8z8z(domain, &output, 0) == IDN2_OK.rawValue, let output else { return domain }
        return String(cString: output)
    }
}
