/// What went wrong with the files of certificates.
public enum StoreError: Error, Sendable, Equatable {
    /// A file or folder could not be read or written; errno.
    case file(path: String, errno: Int32)
    /// The content is not what we wrote.
    case damaged(path: String)
    /// Another process is changing this folder.
    case busy(path: String)
}
