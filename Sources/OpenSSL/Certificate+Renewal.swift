internal import COpenSSL

extension Certificate {
    /// The certificate, DER.
    public func der() throws(OpenSSLError) -> [UInt8] {
        let count = i2d_X509(handle.pointer, nil)
        guard count > 0 else { throw OpenSSLError("i2d_X509") }
        var der = [UInt8](repeating: 0, count: Int(count))
        let written = der.withUnsafeMutableBufferPointer { buffer in
            var start = buffer.baseAddress
            return i2d_X509(handle.pointer, &start)
        }
        guard written == count else { throw OpenSSLError("i2d_X509") }
        return der
    }

    /// The keyIdentifier of its authority key identifier (RFC 5280 §4.2.1.1); nil when it has none.
    public var authorityKeyIdentifier: [UInt8]? {
        guard let identifier = X509_get0_authority_key_id(handle.pointer), let start = ASN1_STRING_get0_data(identifier) else {
            ERR_clear_error()
            return nil
        }
        return Array(UnsafeBufferPointer(start: start, count: Int(ASN1_STRING_length(identifier))))
    }

    /// The serial number's bytes as in DER: with a zero in front when the first bit is set.
    public var serialBytes: [UInt8] {
        var digits = Array(serial.utf8)
        if digits.count % 2 == 1 { digits.insert(0x30, at: 0) }
        let values = digits.map { $0 <= 0x39 ? $0 - 0x30 : $0 - 0x61 + 10 }
        let bytes = stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
        return bytes.first.map { $0 & 0x80 != 0 } == true ? [0] + bytes : bytes
    }
}
