internal import COpenSSL

/// A BIO in memory, owned.
struct Memory: ~Copyable {
    let pointer: OpaquePointer

    /// An empty one, to be written to.
    init() throws(OpenSSLError) {
        pointer = try some(BIO_new(BIO_s_mem()), "BIO_new")
    }

    private init(owning pointer: OpaquePointer) { self.pointer = pointer }

    /// One that holds a copy of the bytes.
    static func holding(_ bytes: [UInt8]) throws(OpenSSLError) -> Memory {
        let pointer = try some(BIO_new(BIO_s_mem()), "BIO_new")
        guard let count = Int32(exactly: bytes.count), bytes.isEmpty || BIO_write(pointer, bytes, count) == count else {
            BIO_free_all(pointer)
            throw OpenSSLError("BIO_write")
        }
        return Memory(owning: pointer)
    }

    deinit { BIO_free_all(pointer) }

    /// What has been written.
    var contents: [UInt8] {
        var start: UnsafeMutablePointer<CChar>?
        let count = snikket_openssl_bio_contents(pointer, &start)
        guard count > 0, let start else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: count))
    }
}
