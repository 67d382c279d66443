public import DurableFiles

/// Why a state cannot be used by this version.
public enum StateError: Error, Sendable, Equatable {
    /// A newer version has made it so: its version, and the newest that is known here.
    case newer(found: Int, known: Int)
    /// It could not be brought to a version; what was in the way.
    case migration(to: Int, FileError)
    /// A server, a backup or a restore uses it.
    case busy(state: String)
    /// Its version could not be read, or what was kept of it not put back.
    case file(FileError)
}
