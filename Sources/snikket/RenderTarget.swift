import ArgumentParser
import ServerConfigs

/// For whom `snikket render` writes.
enum RenderTarget: ExpressibleByArgument {
    /// The servers on this machine.
    case host
    /// Another web server, in front of ours.
    case proxy(FrontServer)

    init?(argument: String) {
        if argument == "host" {
            self = .host
        } else if argument.hasPrefix("proxy="), let server = FrontServer(rawValue: String(argument.dropFirst(6))) {
            self = .proxy(server)
        } else {
            return nil
        }
    }

    static var allValueStrings: [String] { ["host"] + FrontServer.allCases.map { "proxy=" + $0.rawValue } }

    var defaultValueDescription: String { "host" }
}
