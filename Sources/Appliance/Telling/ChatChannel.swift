import ChatServer

/// A chat message of the service itself to everybody who administers it.
struct ChatChannel: AdministratorChannel {
    let chat: any ChatServer

    func tell(_ text: String) async -> Bool {
        guard let count = try? await chat.tellAdministrators(text) else { return false }
        return count > 0
    }
}
