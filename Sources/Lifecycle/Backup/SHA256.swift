import Glibc

/// SHA-256 (FIPS 180-4) by OpenSSL's libcrypto, which is there because `snikket-certs` is linked to it.
///
/// It is loaded when the first sum is made: `snikket up`, which never makes one, does not carry it.
final class SHA256 {
    private typealias Digest = OpaquePointer
    private typealias Context = OpaquePointer

    /// libcrypto's functions (EVP_DigestInit(3)).
    private struct Library {
        let newContext: @convention(c) () -> Context?
        let freeContext: @convention(c) (Context?) -> Void
        let begin: @convention(c) (Context?, Digest?, OpaquePointer?) -> Int32
        let update: @convention(c) (Context?, UnsafeRawPointer?, Int) -> Int32
        let finish: @convention(c) (Context?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt32>?) -> Int32
        let algorithm: Digest

        init?() {
            guard let handle = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL) else { return nil }
            func symbol<Function>(_ name: String, as type: Function.Type) -> Function? {
                dlsym(handle, name).map { unsafeBitCast($0, to: Function.self) }
            }
            guard let newContext = symbol("EVP_MD_CTX_new", as: (@convention(c) () -> Context?).self),
                let freeContext = symbol("EVP_MD_CTX_free", as: (@convention(c) (Context?) -> Void).self),
                let begin = symbol("EVP_DigestInit_ex", as: (@convention(c) (Context?, Digest?, OpaquePointer?) -> Int32).self),
                let update = symbol("EVP_DigestUpdate", as: (@convention(c) (Context?, UnsafeRawPointer?, Int) -> Int32).self),
                let finish = symbol(
                    "EVP_DigestFinal_ex",
                    as: (@convention(c) (Context?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt32>?) -> Int32).self),
                let sha256 = symbol("EVP_sha256", as: (@convention(c) () -> Digest?).self), let algorithm = sha256()
            else { return nil }
            (self.newContext, self.freeContext, self.begin, self.update, self.finish) = (newContext, freeContext, begin, update, finish)
            self.algorithm = algorithm
        }
    }

    /// Pointers to code and constants, the same for every thread.
    nonisolated(unsafe) private static let library = Library()

    private let library: Library
    private let context: Context

    /// - Throws: ``BackupError/missingProgram(_:package:)`` when there is no libcrypto.
    init() throws(BackupError) {
        guard let library = Self.library, let context = library.newContext() else {
            throw .missingProgram("libcrypto.so.3", package: "libssl3")
        }
        (self.library, self.context) = (library, context)
        restart()
    }

    deinit { library.freeContext(context) }

    private func restart() {
        // It fails only for an algorithm that a provider does not have, and this one is in the default provider.
        precondition(library.begin(context, library.algorithm, nil) == 1, "libcrypto has no SHA-256")
    }

    func update(_ bytes: UnsafeRawBufferPointer) {
        precondition(library.update(context, bytes.baseAddress, bytes.count) == 1, "libcrypto gives no sum")
    }

    func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    /// The sum of what has come so far, in hexadecimal; the next begins anew.
    func finish() -> String {
        var sum = [UInt8](repeating: 0, count: 32)
        precondition(library.finish(context, &sum, nil) == 1, "libcrypto gives no sum")
        restart()
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: sum.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
