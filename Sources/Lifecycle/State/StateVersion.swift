import DurableFiles

/// Which version of the state directory is there, and how it becomes the newest.
public struct StateVersion: Sendable {
    /// Of the file that says it.
    public static let fileName = "version"

    /// The state directory.
    public let state: String
    private let migrations: [Migration]

    public init(of state: String, migrations: [Migration] = Migration.all) {
        (self.state, self.migrations) = (state, migrations)
    }

    /// The newest that this program knows.
    public var newest: Int { migrations.last?.version ?? 0 }
    private var path: String { "\(state)/\(Self.fileName)" }

    /// The version that is there; 0 when none is written; nil when there is no state yet.
    public func found() throws(StateError) -> Int? {
        do throws(FileError) {
            guard let bytes = try File.readIfThere(path, limit: 64) else { return Folder.names(in: state + "/secrets").isEmpty ? nil : 0 }
            guard let number = Int(String(decoding: bytes, as: UTF8.self).prefix { !$0.isNewline }), number >= 0 else { throw .malformed(path) }
            return number
        } catch {
            throw .file(error)
        }
    }

    /// Whether this program can use it: whoever is older than the state would not understand it, and spoil it.
    public func check() throws(StateError) {
        if let found = try found(), found > newest { throw .newer(found: found, known: newest) }
    }

    /// Whether bringing it to the newest version changes something that servers have in use.
    public func changesFiles() throws(StateError) -> Bool {
        guard let found = try found() else { return false }
        return migrations.contains { $0.version > found && !$0.touches.isEmpty }
    }

    /// Brings it to the newest version, a step after the other, before any server runs. Whoever is killed in the middle is continued by the next.
    ///
    /// What the steps touch is kept first, as it was before all of them: see ``StateUndo``.
    public func bringUpToDate() throws(StateError) {
        try check()
        guard let found = try found() else { return try write(newest) }
        let steps = migrations.filter { $0.version > found }
        guard !steps.isEmpty else { return }
        try StateUndo(of: state).keep(steps.flatMap(\.touches), from: found)
        for step in steps {
            do throws(FileError) { try step.run(state) } catch { throw .migration(to: step.version, error) }
            try write(step.version)
        }
    }

    /// Does the steps on a copy of what they touch, and leaves the state alone.
    ///
    /// - Parameter scratch: a folder for the copy, which must not be there; it stays, for whoever wants to look.
    public func rehearse(in scratch: String) throws(StateError) {
        try check()
        guard let found = try found() else { return }
        do throws(FileError) {
            try Folder.make(scratch, mode: 0o700)
            for path in migrations.filter({ $0.version > found }).flatMap(\.touches) {
                try StateCopy.copy(path, from: state, to: scratch, isRestrained: false)
            }
        } catch {
            throw .file(error)
        }
        let copy = StateVersion(of: scratch, migrations: migrations)
        try copy.write(found)
        try copy.bringUpToDate()
    }

    private func write(_ version: Int) throws(StateError) {
        do throws(FileError) { try File.write(Array("\(version)\n".utf8), to: path, mode: 0o600) } catch { throw .file(error) }
    }

    /// Goes back to a version, all of whose files are in place again.
    func declare(_ version: Int) throws(StateError) { try write(version) }
}
