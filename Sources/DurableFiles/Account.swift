internal import Glibc

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

    /// Whom a file belongs to that this account shall read and not change: us, with its group.
    public var reader: Account { Account(user: geteuid(), group: group) }
}
