import ArgumentParser
import ChatServer
import FoundationEssentials
import Glibc
import QRCode

/// `snikket invite create`
struct InviteCreate: Command {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make an invitation and print its link.",
        discussion: """
            Send the link to one person; it leads to a page that explains the rest.

              snikket invite create --comment "aunt Mary"
              snikket invite create --reusable --days 2 --qr
            """)

    @OptionGroup var common: CommonOptions

    @Flag(help: "The new account administers the service.")
    var admin = false

    @Flag(help: "More than one person can use it, until it ends.")
    var reusable = false

    @Option(help: ArgumentHelp("How long it can be used, 1 to 366 days.", valueName: "days"))
    var days = 7

    @Option(help: ArgumentHelp("A note, to tell invitations apart; only you see it.", valueName: "text"))
    var comment: String?

    @Flag(help: "Print a QR code of the link too.")
    var qr = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func execute() async throws {
        try checkOptions()
        var request = InvitationRequest()
        request.isAdmin = admin
        request.isReusable = reusable
        request.lifetime = days * 86_400
        request.comment = comment
        do {
            let invitation = try await runningChatServer(common).server.createInvitation(request)
            if json {
                print(try jsonText(InvitationSummary(invitation)))
                return
            }
            if qr {
                let colors = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil
                print(try QRCode(invitation.url).terminalText(colors: colors))
            }
            print(invitation.url)
        } catch let error as ChatServerError {
            throw Failure(error)
        } catch let error as QRCodeError {
            throw Failure(error)
        }
    }
}

extension InviteCreate {
    private func checkOptions() throws {
        guard (1...366).contains(days) else {
            throw Failure(
                error: "an invitation cannot be used for \(days) days", cause: "it lasts from 1 to 366 days",
                tryThis: "choose another number for --days", code: .usage)
        }
        guard !(admin && reusable) else {
            throw Failure(
                error: "an invitation for an administrator cannot be reusable",
                cause: "one leaked link would make everybody an administrator", tryThis: "leave out --reusable or --admin", code: .usage)
        }
        guard (comment ?? "").utf8.count <= 512 else {
            throw Failure(error: "the comment is too long", cause: "it can have 512 bytes", tryThis: "shorten --comment", code: .usage)
        }
    }
}

/// An invitation as scripts see it. These keys stay.
struct InvitationSummary: Encodable {
    var url: String
    var uri: String
    var token: String
    /// Seconds since 1970.
    var expires: Int
    /// `account`, `admin`, or `group` for one that several people can use.
    var kind: String

    init(_ invitation: Invitation) {
        url = invitation.url
        uri = invitation.uri
        token = invitation.token
        expires = invitation.expires
        kind = invitation.isAdmin ? "admin" : invitation.isReusable ? "group" : "account"
    }
}
