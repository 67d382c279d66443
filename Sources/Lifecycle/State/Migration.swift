public import DurableFiles

/// One step from a version of the state to the next.
public struct Migration: Sendable {
    /// The version that it makes.
    public let version: Int
    /// The files and folders, below the state directory, that it changes, makes or removes: they are kept as they were until the next step from another
    /// version, so that the version before can be put back. What people write should not be among them: going back would lose what came since.
    public let touches: [String]
    /// Does it, given the state directory. It may have been done before, wholly or in part: whoever is killed begins again.
    let run: @Sendable (_ state: String) throws(FileError) -> Void

    public init(to version: Int, touches: [String] = [], run: @escaping @Sendable (_ state: String) throws(FileError) -> Void) {
        (self.version, self.touches, self.run) = (version, touches, run)
    }
}

extension Migration {
    /// Every step there is, in order. What a release has brought stays as it is.
    public static let all: [Migration] = [
        // The first releases wrote no version: theirs is 0. Since 1 it is written, and nothing else is different.
        Migration(to: 1) { _ in }
    ]
}
