import ChatServer

extension Announcer {
    /// While nobody administers the service, tells the link that makes somebody the administrator.
    func firstInvitation(to chat: any ChatServer, explaining source: SettingsSource) async {
        do throws(ChatServerError) {
            guard try await !chat.users().contains(where: { $0.role == "prosody:admin" }) else { return }
            var request = InvitationRequest()
            request.isAdmin = true
            let existing = try await chat.invitations().first { $0.isAdmin && !$0.isReusable }
            let invitation: Invitation
            if let existing { invitation = existing } else { invitation = try await chat.createInvitation(request) }
            result("invitation \(invitation.url)")
        } catch {
            // Everything serves; the link can be had by hand.
            let (known, _) = source.explain(error)
            problem(
                .init(
                    error: "the first invitation could not be made", cause: known.cause ?? known.error,
                    tryThis: "snikket invite create --admin"))
        }
    }
}
