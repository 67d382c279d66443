import ArgumentParser
import ChatServer

/// `snikket invite revoke`
struct InviteRevoke: Command {
    static let configuration = CommandConfiguration(commandName: "revoke", abstract: "Make an invitation unusable.")

    @OptionGroup var common: CommonOptions

    @Argument(help: ArgumentHelp("The invitation's link or token, as `snikket invite list` shows it.", valueName: "link"))
    var invitation: String

    func execute() async throws {
        do {
            let server = try runningChatServer(common).server
            // The link's form is a setting, so it is compared rather than taken apart.
            let wanted = invitation.hasSuffix("/") ? String(invitation.dropLast()) : invitation
            let found = try await server.invitations().first { candidate in
                [candidate.token, candidate.url, candidate.uri].contains { $0 == invitation || $0 == wanted || $0 == wanted + "/" }
            }
            guard let found else { throw ChatServerError.invitationNotFound }
            try await server.revokeInvitation(token: found.token)
        } catch let error as ChatServerError {
            throw Failure(error)
        }
        print("revoked")
    }
}
