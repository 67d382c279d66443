internal import Glibc

/// What the system said of a file or folder.
public struct FileError: Error, Sendable, Equatable {
    /// What was being done.
    public enum Action: Sendable { case read, write }

    public let action: Action
    /// As it was given to the room.
    public let path: String
    /// errno(3). `EFBIG`: larger than what may be read; `EBADMSG`: not what belongs there.
    public let errno: Int32

    public init(_ action: Action, _ path: String, errno: Int32) {
        self.action = action
        self.path = path
        self.errno = errno
    }

    /// A file whose content is not what belongs there.
    public static func malformed(_ path: String) -> FileError { FileError(.read, path, errno: EBADMSG) }

    /// The system's words, in lower case: `no space left on device`.
    public var words: String { String(cString: strerror(errno)).lowercased() }

    /// What the call just before said.
    static func writing(_ path: String) -> FileError { FileError(.write, path, errno: Glibc.errno) }
    static func reading(_ path: String) -> FileError { FileError(.read, path, errno: Glibc.errno) }
}
