import DurableFiles
import Glibc

/// What the last migration touched, as it was before: `undo` in the state directory. Every version writes and reads it in this form.
///
///     undo/from       the version that the state had
///     undo/paths      what was touched, a path a line
///     undo/files/     a copy of what was there of it
public struct StateUndo: Sendable {
    static let folderName = "undo"
    private let state: String
    private var folder: String { "\(state)/\(Self.folderName)" }

    public init(of state: String) {
        self.state = state
    }

    /// The version that it leads back to; nil when nothing has been kept.
    public func leadsTo() throws(StateError) -> Int? {
        do throws(FileError) {
            guard let bytes = try File.readIfThere("\(folder)/from", limit: 64) else { return nil }
            guard let number = Int(String(decoding: bytes, as: UTF8.self).prefix { !$0.isNewline }) else { throw .malformed("\(folder)/from") }
            return number
        } catch {
            throw .file(error)
        }
    }

    /// What putting it back would replace, below the state directory.
    public func paths() -> [String] {
        guard let bytes = try? File.readIfThere("\(folder)/paths") else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Keeps these paths. What has been kept for the same version before stays: the migration had begun.
    func keep(_ paths: [String], from version: Int) throws(StateError) {
        guard try leadsTo() != version else { return }
        do throws(FileError) {
            discard()
            let staged = folder + ".new"
            Tree.remove(staged)
            try Folder.make(staged, mode: 0o700)
            try Folder.make("\(staged)/files", mode: 0o700)
            var known: Set<String> = []
            let paths = paths.filter { known.insert($0).inserted }
            for path in paths { try StateCopy.copy(path, from: state, to: "\(staged)/files", isRestrained: true) }
            try File.create("\(staged)/paths", Array(paths.map { $0 + "\n" }.joined().utf8), mode: 0o600)
            try File.create("\(staged)/from", Array("\(version)\n".utf8), mode: 0o600)
            try Folder.flush(staged)
            guard rename(staged, folder) == 0 else { throw FileError(.write, folder, errno: errno) }
            try Folder.flush(state)
        } catch {
            throw .file(error)
        }
    }

    /// Puts everything back as it was, and with it the version. Meanwhile nobody else may use the state. Whoever is killed in the middle begins again.
    ///
    /// - Returns: whether there was something to put back.
    @discardableResult
    public func putBack() throws(StateError) -> Bool {
        let locks = try hold()
        defer { withExtendedLifetime(locks) {} }
        guard let version = try leadsTo() else { return false }
        do throws(FileError) {
            for path in paths() {
                Tree.remove("\(state)/\(path)")
                guard !Tree.exists("\(state)/\(path)") else { throw FileError(.write, "\(state)/\(path)", errno: EPERM) }
                try StateCopy.copy(path, from: "\(folder)/files", to: state, isRestrained: false)
            }
        } catch {
            throw .file(error)
        }
        // Version 0 is that of a state without the file.
        if version == 0 { unlink("\(state)/version") } else { try StateVersion(of: state).declare(version) }
        discard()
        return true
    }

    /// What a running server holds, and what a backup and a restore hold.
    ///
    /// - Throws: ``StateError/busy(state:)``
    private func hold() throws(StateError) -> [HeldLock] {
        do {
            guard let backup = try HeldLock("\(state)/backup.lock"), let run = try HeldLock("\(state)/lock") else {
                throw StateError.busy(state: state)
            }
            return [backup, run]
        } catch BackupError.file(let error) {
            throw .file(error)
        } catch {
            throw .busy(state: state)
        }
    }

    /// Half of it must never be taken for the whole.
    private func discard() {
        let gone = folder + ".gone"
        Tree.remove(gone)
        _ = rename(folder, gone)
        Tree.remove(gone)
    }
}
