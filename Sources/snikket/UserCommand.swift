import ArgumentParser

/// `snikket user`
struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "See the accounts.", subcommands: [UserList.self])
}
