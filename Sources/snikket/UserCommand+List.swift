import ArgumentParser
import ChatServer

/// `snikket user list`
struct UserList: Command {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the accounts.")

    @OptionGroup var common: CommonOptions

    @Flag(help: "Print a JSON array.")
    var json = false

    func execute() async throws {
        do {
            let (server, domain) = try runningChatServer(common)
            let users = try await server.users()
            if json {
                print(try jsonText(users.map { Row($0, domain: domain) }))
            } else if users.isEmpty {
                print("no accounts yet; make an invitation with `snikket invite create --admin`")
            } else {
                let rows = users.map { user in
                    ["\(user.username)@\(domain)", user.displayName ?? "", roleName(user.role), user.lastActive.map(localTime) ?? "never"]
                }
                print(textTable([["ADDRESS", "NAME", "ROLE", "LAST ACTIVE"]] + rows))
            }
        } catch let error as ChatServerError {
            throw Failure(error)
        }
    }

    private func roleName(_ role: String) -> String {
        switch role {
        case "prosody:admin", "prosody:operator": "admin"
        case "prosody:registered", "prosody:member": "member"
        case "prosody:restricted": "limited"
        default: role
        }
    }

    /// An account as scripts see it. These keys stay.
    private struct Row: Encodable {
        var address, username: String
        var displayName: String?
        var role: String
        /// Seconds since 1970; absent when never.
        var lastActive: Int?

        enum CodingKeys: String, CodingKey {
            case address, username, role
            case displayName = "display_name"
            case lastActive = "last_active"
        }

        init(_ user: User, domain: String) {
            address = "\(user.username)@\(domain)"
            (username, displayName, role, lastActive) = (user.username, user.displayName, user.role, user.lastActive)
        }
    }
}
