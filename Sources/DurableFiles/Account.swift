/// A user and a group, as numbers: who a file belongs to, and who a program runs as.
public struct Account: Sendable, Equatable {
    /// The user's number.
    public var user: UInt32
    /// The main group's number.
    public var group: UInt32

    public init(user: UInt32, group: UInt32) {
        self.user = user
        self.group = group
    }
}
