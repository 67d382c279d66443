import Glibc

/// zstd (RFC 8878) by its library, which every Debian has because dpkg needs it. It is loaded when something is first packed or unpacked: `snikket up`,
/// which never does that, does not carry it.
enum Zstandard {
    typealias Context = OpaquePointer

    /// ZSTD_inBuffer and ZSTD_outBuffer (zstd.h).
    struct Window {
        var address: UnsafeMutableRawPointer?
        var size: Int
        var position = 0
    }

    /// A function that makes something, one that frees it, one that sets a parameter of it, and one that turns a window into another.
    struct Functions {
        let make: @convention(c) () -> Context?
        let free: @convention(c) (Context?) -> Int
        let set: @convention(c) (Context?, Int32, Int32) -> Int
        let isError: @convention(c) (Int) -> UInt32
        let nameOfError: @convention(c) (Int) -> UnsafePointer<CChar>
        let handle: UnsafeMutableRawPointer

        init(_ make: String, _ free: String, _ set: String) throws(BackupError) {
            guard let handle = dlopen("libzstd.so.1", RTLD_NOW | RTLD_LOCAL) else { throw Self.missing }
            self.handle = handle
            self.make = try Self.symbol(make, handle)
            self.free = try Self.symbol(free, handle)
            self.set = try Self.symbol(set, handle)
            isError = try Self.symbol("ZSTD_isError", handle)
            nameOfError = try Self.symbol("ZSTD_getErrorName", handle)
        }

        func symbol<Function>(_ name: String) throws(BackupError) -> Function { try Self.symbol(name, handle) }

        private static func symbol<Function>(_ name: String, _ handle: UnsafeMutableRawPointer) throws(BackupError) -> Function {
            guard let address = dlsym(handle, name) else { throw missing }
            return unsafeBitCast(address, to: Function.self)
        }

        private static var missing: BackupError { .missingProgram("libzstd.so.1", package: "libzstd1") }

        /// - Throws: ``BackupError/program(_:_:)`` with the library's words when a result stands for an error.
        func check(_ result: Int) throws(BackupError) -> Int {
            guard isError(result) != 0 else { return result }
            throw .program("zstd", String(cString: nameOfError(result)))
        }
    }

    /// Gets what comes out, piece by piece.
    typealias Sink = (UnsafeRawBufferPointer) throws(BackupError) -> Void
}

/// Packs what it is given.
final class Compressor {
    private typealias Step = @convention(c) (Zstandard.Context?, UnsafeMutableRawPointer, UnsafeMutableRawPointer, Int32) -> Int

    private let functions: Zstandard.Functions
    private let context: Zstandard.Context
    private let step: Step
    private let buffer = Buffer(size: 1 << 20)

    /// - Parameters:
    ///   - level: as of zstd(1).
    ///   - threads: how many pack beside the one that gives it something.
    init(level: Int32, threads: Int) throws(BackupError) {
        functions = try .init("ZSTD_createCCtx", "ZSTD_freeCCtx", "ZSTD_CCtx_setParameter")
        step = try functions.symbol("ZSTD_compressStream2")
        guard let context = functions.make() else { throw .program("zstd", "not enough memory") }
        self.context = context
        _ = try functions.check(functions.set(context, 100, level))
        // A checksum of each frame: whoever unpacks it without us is told of damage, too.
        _ = try functions.check(functions.set(context, 201, 1))
        // Without threads the library does it all the same. Small jobs: several threads, and still little memory.
        if functions.isError(functions.set(context, 400, Int32(threads))) == 0 { _ = functions.set(context, 401, 2 << 20) }
    }

    deinit { _ = functions.free(context) }

    func feed(_ bytes: UnsafeRawBufferPointer, into sink: Zstandard.Sink) throws(BackupError) { try work(bytes, isEnd: false, sink) }

    /// Ends the frame.
    func finish(into sink: Zstandard.Sink) throws(BackupError) { try work(UnsafeRawBufferPointer(start: nil, count: 0), isEnd: true, sink) }

    private func work(_ bytes: UnsafeRawBufferPointer, isEnd: Bool, _ sink: Zstandard.Sink) throws(BackupError) {
        var input = Zstandard.Window(address: UnsafeMutableRawPointer(mutating: bytes.baseAddress), size: bytes.count)
        while true {
            var output = Zstandard.Window(address: buffer.bytes.baseAddress, size: buffer.bytes.count)
            // ZSTD_e_continue, ZSTD_e_end.
            let left = try functions.check(step(context, &output, &input, isEnd ? 2 : 0))
            if output.position > 0 { try sink(UnsafeRawBufferPointer(rebasing: buffer.bytes.prefix(output.position))) }
            if isEnd ? left == 0 : input.position == input.size { return }
        }
    }
}

/// Unpacks what it is given.
final class Decompressor {
    private typealias Step = @convention(c) (Zstandard.Context?, UnsafeMutableRawPointer, UnsafeMutableRawPointer) -> Int

    private let functions: Zstandard.Functions
    private let context: Zstandard.Context
    private let step: Step
    private let buffer = Buffer(size: 1 << 18)
    /// Whether what has come so far ends where a frame ends.
    private(set) var isComplete = true

    init() throws(BackupError) {
        functions = try .init("ZSTD_createDCtx", "ZSTD_freeDCtx", "ZSTD_DCtx_setParameter")
        step = try functions.symbol("ZSTD_decompressStream")
        guard let context = functions.make() else { throw .program("zstd", "not enough memory") }
        self.context = context
        // No file can have us take more than 64 MiB of memory for its window.
        _ = try functions.check(functions.set(context, 100, 26))
    }

    deinit { _ = functions.free(context) }

    /// - Throws: ``BackupError/program(_:_:)`` when it cannot be unpacked, or what the sink throws.
    func feed(_ bytes: UnsafeRawBufferPointer, into sink: Zstandard.Sink) throws(BackupError) {
        var input = Zstandard.Window(address: UnsafeMutableRawPointer(mutating: bytes.baseAddress), size: bytes.count)
        var mayHoldMore = true
        while input.position < input.size || mayHoldMore {
            var output = Zstandard.Window(address: buffer.bytes.baseAddress, size: buffer.bytes.count)
            isComplete = try functions.check(step(context, &output, &input)) == 0
            mayHoldMore = output.position == output.size
            if output.position > 0 { try sink(UnsafeRawBufferPointer(rebasing: buffer.bytes.prefix(output.position))) }
        }
    }
}
