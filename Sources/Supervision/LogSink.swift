import Glibc
import Synchronization
import SystemPackage

/// Where the lines go that a server prints: a file of bounded size, and whoever else listens.
///
/// The file is `FOLDER/SERVICE.log`, a moment (RFC 3339, UTC) before each line; when it is full it becomes `SERVICE.log.1`.
/// A log that cannot be written never holds up a server: its lines are dropped, and the file is tried again with the next ones.
public final class LogSink: Sendable {
    private struct File {
        var descriptor: FileDescriptor?
        var size = 0
        var lastLine: String?
    }

    private let path: String
    private let limit: Int
    private let forward: (@Sendable (String) -> Void)?
    private let file = Mutex(File())

    /// A sink. Nothing is opened before the first line.
    ///
    /// - Parameters:
    ///   - folder: where the file lies; it has to exist.
    ///   - service: whose lines they are.
    ///   - limit: the most bytes of one file; two are kept.
    ///   - forward: gets each line too, without its moment.
    public init(folder: String, service: String, limit: Int = 5 << 20, forward: (@Sendable (String) -> Void)? = nil) {
        path = "\(folder)/\(service).log"
        self.limit = limit
        self.forward = forward
    }

    /// The line written last; nil before the first.
    public var lastLine: String? { file.withLock { $0.lastLine } }

    /// Writes lines, all with the present moment.
    public func write(_ lines: [String]) {
        guard !lines.isEmpty else { return }
        let moment = Timestamp.now().description
        let bytes = Array(lines.map { "\(moment) \($0)\n" }.joined().utf8)
        file.withLock { file in
            file.lastLine = lines.last { !$0.isEmpty } ?? file.lastLine
            if file.descriptor != nil, file.size + bytes.count > limit { rotate(&file) }
            if file.descriptor == nil { open(&file) }
            guard let descriptor = file.descriptor else { return }
            do {
                file.size += try descriptor.writeAll(bytes)
            } catch {
                close(&file)
            }
        }
        if let forward {
            for line in lines { forward(line) }
        }
    }

    private func open(_ file: inout File) {
        guard
            let descriptor = try? FileDescriptor.open(
                path, .writeOnly, options: [.append, .create, .closeOnExec], permissions: [.ownerReadWrite, .groupRead])
        else { return }
        file.descriptor = descriptor
        file.size = Int((try? descriptor.seek(offset: 0, from: .end)) ?? 0)
    }

    private func rotate(_ file: inout File) {
        close(&file)
        // When that fails the old file only grows on; writing to it is better than losing lines.
        _ = rename(path, path + ".1")
    }

    private func close(_ file: inout File) {
        try? file.descriptor?.close()
        file.descriptor = nil
        file.size = 0
    }

    deinit {
        file.withLock { close(&$0) }
    }
}
