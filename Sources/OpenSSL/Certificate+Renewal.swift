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

    /// The serial number's bytes as in DER: with a zero in front when the first bit of a positive one is set. A negative one, which
    /// RFC 5280 §4.1.2.2 forbids and still asks to be borne with, is in two's complement.
    public var serialBytes: [UInt8] {
        let number = X509_get0_serialNumber(handle.pointer)
        // The tag and the length in front, then the bytes. A serial number has at most 20 bytes; what is longer is read as well.
        let count = i2d_ASN1_INTEGER(number, nil)
        guard count > 2 else { return [] }
        var der = [UInt8](repeating: 0, count: Int(count))
        let written = der.withUnsafeMutableBufferPointer { buffer in
            var start = buffer.baseAddress
            return i2d_ASN1_INTEGER(number, &start)
        }
        guard written == count else { return [] }
        return Array(der.dropFirst(der[1] < 0x80 ? 2 : 2 + Int(der[1] & 0x7f)))
    }
}
