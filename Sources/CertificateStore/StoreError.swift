public import DurableFiles

/// What went wrong with the files of certificates.
public enum StoreError: Error, Sendable, Equatable {
    /// A file or folder could not be read or written.
    case file(FileError)
    /// The content is not what we wrote.
    case damaged(path: String)
    /// Another process is changing this folder.
    case busy(path: String)
}

/// What a room below throws, as this room's own.
func onDisk<Result>(_ body: () throws(FileError) -> Result) throws(StoreError) -> Result {
    do throws(FileError) {
        return try body()
    } catch {
        throw .file(error)
    }
}
