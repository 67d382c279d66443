import ArgumentParser
import ChatServer
import DurableFiles
import Glibc
import Settings

/// The chat server of the appliance that runs with this state directory, and its domain.
///
/// - Throws: ``Failure`` when nothing runs there, or when this user may not talk to it.
func runningChatServer(_ common: CommonOptions) throws -> (server: Prosody, domain: String) {
    let locations = try common.locations()
    do {
        guard let endpoint = try ChatEndpoint.read(from: "\(locations.run)/\(ChatEndpoint.fileName)") else {
            // `snikket up` opens its control socket first.
            if access(locations.controlSocket, F_OK) == 0 { throw Failure.stillStarting }
            throw Failure.notRunning(state: locations.state)
        }
        guard let secret = try File.readIfThere(locations.secrets + "/api") else { throw Failure.notRunning(state: locations.state) }
        let text = String(decoding: secret, as: UTF8.self).filter { !$0.isWhitespace }
        return (Prosody(port: endpoint.port, domain: endpoint.domain, secret: text), endpoint.domain)
    } catch let error as FileError {
        throw Failure(error)
    }
}

extension Failure {
    static func notRunning(state: String) -> Failure {
        Failure(
            error: "snikket is not running here", cause: "nothing has been started with the state directory \(state)",
            tryThis: "start it: `systemctl start snikket`, `snikket up` or, for a look, `snikket try`; or pass --state DIR")
    }

    static var stillStarting: Failure {
        Failure(
            error: "the chat server is not ready yet", cause: "snikket is still starting",
            tryThis: "run `snikket status`, and this command again when it is healthy", code: .tryAgainLater)
    }
}
