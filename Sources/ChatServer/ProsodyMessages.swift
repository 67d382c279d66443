// What goes over the wire to mod_snikket_api and back: JSON objects, with these keys.

struct NewInvitation: Encodable {
    var admin: Bool
    var reusable: Bool
    var lifetime: Int
    var comment: String?

    init(_ request: InvitationRequest) {
        admin = request.isAdmin
        reusable = request.isReusable
        lifetime = request.lifetime
        comment = request.comment
    }
}

struct Token: Encodable {
    var token: String
}

struct Registration: Encodable {
    var token: String
    var username: String
    var password: String
}

struct Registered: Decodable {
    var address: String
}

struct Message: Encodable {
    var text: String
}

/// How many people a message went to.
struct Told: Decodable {
    var administrators: Int
}

/// What could not be kept, and why.
struct StorageFaults: Decodable {
    var faults: [String]
}

/// What is not loaded.
struct MissingModules: Decodable {
    var missing: [String]
}

/// A request that says nothing more.
struct Empty: Encodable {}

struct TrialMessage: Decodable {
    var username: String
    var password: String
}

/// An answer whose content does not matter.
struct Nothing: Decodable {}

struct InvitationList: Decodable {
    var invitations: [InvitationMessage]
}

struct InvitationMessage: Decodable {
    var token: String
    var url: String
    var uri: String
    var expires: Int
    var admin: Bool
    var reusable: Bool
    var comment: String?
    var inviter: String?

    var invitation: Invitation {
        Invitation(
            token: token, url: url, uri: uri, expires: expires, isAdmin: admin, isReusable: reusable, comment: comment, inviter: inviter)
    }
}

struct UserList: Decodable {
    var users: [UserMessage]
}

struct UserMessage: Decodable {
    var username: String
    var displayName: String?
    var role: String
    var lastActive: Int?

    enum CodingKeys: String, CodingKey {
        case username, role
        case displayName = "display_name"
        case lastActive = "last_active"
    }

    var user: User { User(username: username, displayName: displayName, role: role, lastActive: lastActive) }
}

/// Why Prosody did not do it.
struct Refusal: Decodable {
    var error: String
    var field: String?
    var rule: String?
}

extension ChatServerError {
    init(refusal: Refusal?, status: Int) {
        self =
            switch (status, refusal?.error) {
            case (401, "unauthorized"): .unauthorized
            case (404, "not-found"): .invitationNotFound
            case (409, _): .usernameTaken
            case (400, "invalid"): .invalid(field: refusal?.field ?? "", rule: refusal?.rule ?? "")
            // The module is not there (yet): Prosody is still loading it, or has another configuration.
            case (404, nil): .unreachable(detail: "the API is not loaded")
            default: .unexpected(status: status, detail: refusal?.error ?? "")
            }
    }
}
