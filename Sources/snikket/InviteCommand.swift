import ArgumentParser

/// `snikket invite`
struct InviteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invite", abstract: "Invite people, and see or revoke invitations.",
        subcommands: [InviteCreate.self, InviteList.self, InviteRevoke.self])
}
