import DurableFiles
import Glibc
import Synchronization

/// The way from the file to the archive: age when it is encrypted, the seal, zstd.
final class OpenedFile {
    /// Where to read the archive from.
    let output: Descriptor
    private let name: String
    private let decryptor: ChildProcess?
    private let checking: Background
    private let unpacking = Unpacking()

    /// What was wrong with what was unpacked.
    private final class Unpacking: Sendable {
        let problem = Mutex<String?>(nil)
    }

    /// - Parameter opening: what opens it when it is encrypted; otherwise it is not used.
    init(_ path: String, opening: Opening) throws(BackupError) {
        name = path
        let (file, kind) = try Self.open(path)
        var source = file
        switch kind {
        case .other: throw .notABackup(path)
        case .plain: decryptor = nil
        case .sealed(let key):
            let (reading, writing) = try Descriptor.pipe()
            if case (.passphrase, .identity) = (key, opening) { throw .sealed(path, needs: key) }
            if case (.identity, .passphrase) = (key, opening) { throw .sealed(path, needs: key) }
            guard let child = try Age.decrypt(opening, from: file, to: writing) else { throw .sealed(path, needs: key) }
            (decryptor, source) = (child, reading)
        }
        let archive = try Descriptor.pipe()
        output = archive.reading
        checking = Background("check the seal") { [source, unpacking, end = archive.writing] () throws(BackupError) in
            try Self.check(source, into: end, named: path, unpacking)
        }
    }

    /// Makes sure that all of it was what was written; to be called when the archive has been read, whether that went well or not.
    ///
    /// - Parameter problem: what was wrong with the archive.
    func finish(_ problem: BackupError? = nil) throws(BackupError) {
        // Ctrl-C ends age, too: what came of that says nothing about the file.
        try Interruption.check()
        // What does not read stops what feeds it.
        if problem != nil { drain() }
        let seal: BackupError? = Self.error { () throws(BackupError) in try checking.finish() }
        if let words = decryptor?.end() {
            let said = words.hasPrefix("age: error: ") ? String(words.dropFirst(12)) : words
            throw said.contains("no identity matched") || said.contains("incorrect passphrase") ? .wrongKey(name, said) : .damaged(name, .checksum)
        }
        // The most telling reason first: a file that was cut off also does not unpack.
        if case .damaged(_, .cutOff) = seal { throw .damaged(name, .cutOff) }
        if let problem, !problem.isAboutContent { throw problem }
        if let seal { throw seal }
        if let words = unpacking.problem.withLock({ $0 }) { throw .damaged(name, .compression(words)) }
        if let problem { throw problem }
    }

    private func drain() {
        let buffer = Buffer()
        while let count = try? output.read(buffer.bytes), count > 0 {}
    }

    private static func error(_ body: () throws(BackupError) -> Void) -> BackupError? {
        do throws(BackupError) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    /// Opens a file and looks how it begins.
    static func open(_ path: String) throws(BackupError) -> (Descriptor, FileKind) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT { throw .noSuchFile(path) }
            throw .file(FileError(.read, path, errno: errno))
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile(path) }
        let file = try Descriptor.open(path, O_RDONLY)
        var beginning = [UInt8](repeating: 0, count: 40)
        let count = pread(file.number, &beginning, beginning.count, 0)
        return (file, FileKind(Array(beginning.prefix(max(0, count)))))
    }

    /// Unpacks everything but the seal, which has to fit.
    private static func check(_ source: Descriptor, into output: Descriptor, named name: String, _ unpacking: Unpacking) throws(BackupError) {
        let (sum, buffer, decompressor) = (try FileSum(), Buffer(), try Decompressor())
        // The last bytes that have come are held back: they may be the seal.
        var held: [UInt8] = []
        var isWanted = true
        func pass(_ bytes: UnsafeRawBufferPointer) throws(BackupError) {
            sum.update(bytes)
            guard isWanted else { return }
            do throws(BackupError) {
                try decompressor.feed(bytes) { (archive) throws(BackupError) in try output.write(archive) }
            } catch {
                switch error {
                case .program(_, let words): unpacking.problem.withLock { $0 = words }
                // The other end has seen enough: the sum tells whether it was right.
                case .file(let problem) where problem.errno == EPIPE: break
                default: throw error
                }
                isWanted = false
            }
        }
        while true {
            let count = try source.read(buffer.bytes)
            guard count > 0 else { break }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer.bytes.prefix(count))
            let release = max(0, held.count + count - Seal.size)
            let fromHeld = min(held.count, release)
            if fromHeld > 0 {
                let part = Array(held.prefix(fromHeld))
                var problem: BackupError?
                part.withUnsafeBytes { bytes in problem = error { () throws(BackupError) in try pass(bytes) } }
                if let problem { throw problem }
                held.removeFirst(fromHeld)
            }
            if release > fromHeld { try pass(UnsafeRawBufferPointer(rebasing: bytes.prefix(release - fromHeld))) }
            held += bytes.dropFirst(release - fromHeld)
        }
        if isWanted, !decompressor.isComplete { unpacking.problem.withLock { $0 = "it ends too early" } }
        guard held.count == Seal.size else { throw .damaged(name, .cutOff) }
        guard held == Seal.bytes(of: sum.end()) else {
            throw .damaged(name, Seal.isOne(held) ? .checksum : .cutOff)
        }
    }
}

extension BackupError {
    /// Whether it says that the content is not as it should be, and not that something here went wrong.
    var isAboutContent: Bool {
        switch self {
        case .damaged, .notABackup, .tooNew: true
        default: false
        }
    }
}
