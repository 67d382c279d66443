import ACME
import ArgumentParser
import CertificateStore
import Curl
import Glibc
import OpenSSL

/// The account at the CA.
struct AccountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: "The account at the certificate authority (RFC 8555 §7.3).",
        subcommands: [Show.self, Update.self, Rollover.self, Deactivate.self])

    /// Looks the account up by its key.
    struct Show: AccountJob {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Find the account by its key.")
        @OptionGroup var place: AccountOptions
        func act(on account: AccountAtAuthority) async throws {
            emit(.account(url: account.url, contacts: account.contacts))
        }
    }

    /// Changes the contact.
    struct Update: AccountJob {
        static let configuration = CommandConfiguration(commandName: "update", abstract: "Give the account another e-mail address.")
        @OptionGroup var place: AccountOptions
        @Option(help: ArgumentHelp("The address that the CA may write to.", valueName: "address"))
        var email: String
        func act(on account: AccountAtAuthority) async throws {
            try await account.client.update(contact: email)
            try account.files.keep(url: account.url, directory: place.authority.directory, contact: email)
            emit(.account(url: account.url, contacts: ["mailto:\(email)"]))
        }
    }

    /// Changes the key.
    struct Rollover: AccountJob {
        static let configuration = CommandConfiguration(commandName: "rollover", abstract: "Give the account a new key.")
        @OptionGroup var place: AccountOptions
        func act(on account: AccountAtAuthority) async throws {
            let key = try PrivateKey()
            // On the disk before the CA knows it: a run that ends in between must not cost the account.
            try account.files.keep(nextKey: key)
            try await account.client.rollover(to: try AccountKey(key))
            try account.files.adoptNextKey()
            emit(.account(url: account.url, contacts: account.contacts))
        }
    }

    /// Ends the account.
    struct Deactivate: AccountJob {
        static let configuration = CommandConfiguration(commandName: "deactivate", abstract: "End the account for good.")
        @OptionGroup var place: AccountOptions
        func act(on account: AccountAtAuthority) async throws {
            try await account.client.deactivateAccount()
            try account.files.remove()
            emit(.deactivated(url: account.url))
        }
    }
}

/// Where an account is.
struct AccountOptions: ParsableArguments {
    @OptionGroup var authority: AuthorityOptions

    @Option(help: ArgumentHelp("Where the account is kept.", valueName: "dir"))
    var state: String
}

/// An account that the CA knows.
struct AccountAtAuthority {
    let client: Client
    let files: Account
    let url: String
    let contacts: [String]
}

/// A verb about an account that exists.
protocol AccountJob: Job {
    var place: AccountOptions { get }
    func act(on account: AccountAtAuthority) async throws
}

extension AccountJob {
    func execute() async throws(CertificateFailure) {
        do {
            let files = Account(state: place.state, directory: place.authority.directory)
            let transport = try place.authority.transport()
            // A key change that was interrupted: the CA says whether it took place.
            if let next = try files.nextKey() {
                let client = place.authority.client(next, over: transport)
                if try await client.existingAccount() != nil { try files.adoptNextKey() } else { try files.dropNextKey() }
            }
            guard let key = try files.existingKey() else { throw noAccount(files) }
            let client = place.authority.client(key, over: transport)
            guard let (url, contacts) = try await client.existingAccount() else { throw noAccount(files) }
            try await act(on: AccountAtAuthority(client: client, files: files, url: url, contacts: contacts))
        } catch {
            throw CertificateFailure(describing: error)
        }
    }

    private func noAccount(_ files: Account) -> CertificateFailure {
        CertificateFailure(
            kind: .configuration, error: "there is no account at this certificate authority", cause: "none is known for the key in \(files.folder)",
            try: "check --directory and --state; `snikket-certs issue` makes an account")
    }
}
