public import ACME
internal import COpenSSL

/// An EVP_PKEY, owned. Unchecked: OpenSSL counts references atomically, and nothing here changes a key once made.
struct KeyHandle: ~Copyable, @unchecked Sendable {
    let pointer: OpaquePointer
    init(_ pointer: OpaquePointer) { self.pointer = pointer }
    deinit { EVP_PKEY_free(pointer) }
}

/// A private key: made here on P-256, or loaded from PEM (any kind that OpenSSL reads).
public final class PrivateKey: Sendable {
    let handle: KeyHandle

    /// Makes a new key on the curve P-256.
    public init() throws(OpenSSLError) {
        handle = KeyHandle(try some(snikket_openssl_make_p256(), "EVP_PKEY_Q_keygen"))
    }

    /// Reads a PEM private key without a password.
    public init(pem: [UInt8]) throws(OpenSSLError) {
        let memory = try Memory.holding(pem)
        handle = KeyHandle(
            try some(PEM_read_bio_PrivateKey(memory.pointer, nil, snikket_openssl_no_password, nil), "reading a private key"))
    }

    /// The key as PKCS #8 PEM, without a password.
    public func pem() throws(OpenSSLError) -> [UInt8] {
        let memory = try Memory()
        try succeed(PEM_write_bio_PrivateKey(memory.pointer, handle.pointer, nil, nil, 0, nil, nil), "PEM_write_bio_PrivateKey")
        return memory.contents
    }
}

/// A P-256 key that signs for an ACME account.
public final class AccountKey: Signer {
    private let key: PrivateKey
    /// The public half (RFC 7517).
    public let publicKey: JSONWebKey

    /// Takes a key on P-256; another kind is an error.
    public init(_ key: PrivateKey) throws(OpenSSLError) {
        var point = [UInt8](repeating: 0, count: 65)
        var count = 0
        // An uncompressed point: 4, then x, then y, each 32 bytes (SEC 1, 2.3.3).
        let result = EVP_PKEY_get_octet_string_param(key.handle.pointer, OSSL_PKEY_PARAM_PUB_KEY, &point, point.count, &count)
        guard result == 1, count == 65, point[0] == 4 else { throw OpenSSLError("reading the public half of a P-256 key") }
        self.key = key
        publicKey = JSONWebKey(x: Array(point[1..<33]), y: Array(point[33..<65]))
    }

    /// r and s, 32 bytes each (RFC 7518 §3.4).
    public func signature(of message: [UInt8]) throws(SigningError) -> [UInt8] {
        do {
            return try es256(message)
        } catch {
            throw SigningError(reason: ([error.operation] + error.reasons).joined(separator: ": "))
        }
    }

    /// FIPS 180-4.
    public func sha256(_ message: [UInt8]) throws(SigningError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        guard EVP_Digest(message, message.count, &digest, &count, EVP_sha256(), nil) == 1, count == 32 else {
            throw SigningError(reason: OpenSSLError("EVP_Digest").operation)
        }
        return digest
    }

    private func es256(_ message: [UInt8]) throws(OpenSSLError) -> [UInt8] {
        let context = try some(EVP_MD_CTX_new(), "EVP_MD_CTX_new")
        defer { EVP_MD_CTX_free(context) }
        try succeed(EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key.handle.pointer), "EVP_DigestSignInit")
        var count = 0
        try succeed(EVP_DigestSign(context, nil, &count, message, message.count), "EVP_DigestSign")
        var der = [UInt8](repeating: 0, count: count)
        try succeed(EVP_DigestSign(context, &der, &count, message, message.count), "EVP_DigestSign")
        let length = count
        let parsed = der.withUnsafeBufferPointer { buffer in
            var start = buffer.baseAddress
            return d2i_ECDSA_SIG(nil, &start, length)
        }
        let signature = try some(parsed, "d2i_ECDSA_SIG")
        defer { ECDSA_SIG_free(signature) }
        var raw = [UInt8](repeating: 0, count: 64)
        let written = raw.withUnsafeMutableBufferPointer { buffer -> Bool in
            guard let start = buffer.baseAddress else { return false }
            return BN_bn2binpad(ECDSA_SIG_get0_r(signature), start, 32) == 32
                && BN_bn2binpad(ECDSA_SIG_get0_s(signature), start + 32, 32) == 32
        }
        guard written else { throw OpenSSLError("BN_bn2binpad") }
        return raw
    }
}
