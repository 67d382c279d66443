import ArgumentParser
import ChatServer

/// `snikket invite list`
struct InviteList: Command {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the invitations that can still be used.")

    @OptionGroup var common: CommonOptions

    @Flag(help: "Print a JSON array.")
    var json = false

    func execute() async throws {
        do {
            let invitations = try await runningChatServer(common).server.invitations()
            if json {
                print(try jsonText(invitations.map(Row.init)))
            } else if invitations.isEmpty {
                print("no invitations; make one with `snikket invite create`")
            } else {
                let rows = invitations.map { invitation in
                    [
                        invitation.url, InvitationSummary(invitation).kind, localTime(invitation.expires),
                        invitation.comment ?? invitation.inviter.map { "from \($0)" } ?? "",
                    ]
                }
                print(textTable([["LINK", "KIND", "UNTIL", "COMMENT"]] + rows))
            }
        } catch let error as ChatServerError {
            throw Failure(error)
        }
    }

    private struct Row: Encodable {
        var url, uri, token, kind: String
        var expires: Int
        var comment, inviter: String?

        init(_ invitation: Invitation) {
            let summary = InvitationSummary(invitation)
            (url, uri, token, kind, expires) = (summary.url, summary.uri, summary.token, summary.kind, summary.expires)
            (comment, inviter) = (invitation.comment, invitation.inviter)
        }
    }
}
