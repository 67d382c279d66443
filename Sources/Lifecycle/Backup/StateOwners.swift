public import DurableFiles

/// Who the files of a state belong to, by names that are the same on every machine.
public struct StateOwners: Sendable {
    /// The users of this machine; empty when everything belongs to whoever runs this.
    private let accounts: [String: Account]
    /// Whose a folder of the state is, by its name; what is not here is root's.
    private let folders: [String: String]

    /// - Parameters:
    ///   - accounts: by the users' names.
    ///   - folders: the user's name of each folder at the top of the state.
    public init(accounts: [String: Account], folders: [String: String]) {
        (self.accounts, self.folders) = (accounts, folders)
    }

    /// The name that stands in a backup for whoever owns something.
    ///
    /// - Parameter path: below the state directory.
    func name(of user: UInt32, path: String) -> String {
        // A file that root left in a server's folder is the server's: nobody else reads it there.
        folders[String(path.prefix { $0 != "/" })] ?? accounts.first { $0.value.user == user }?.key ?? ArchiveWriter.root
    }

    /// Who that is on this machine; nil: whoever runs this.
    func account(named name: String) -> Account? { accounts[name] }

    /// Who the folder of a path below the state belongs to; nil: whoever runs this.
    func account(ofFolder path: String) -> Account? { folders[String(path.prefix { $0 != "/" })].flatMap { accounts[$0] } }
}
