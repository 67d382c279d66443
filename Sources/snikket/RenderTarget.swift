import ArgumentParser
import ServerConfigs

/// For whom `snikket render` writes.
enum RenderTarget: ExpressibleByArgument {
    /// The servers on this machine.
    case host
    /// Containers: the folders that are mounted, and the files of whatever starts them.
    case containers(Engine)
    /// Another web server, in front of ours.
    case proxy(FrontServer)
    /// The web server of a domain that is already a website.
    case website(FrontServer)

    /// What starts containers.
    enum Engine: String, CaseIterable {
        /// `docker compose`, `podman-compose`.
        case compose
        /// Podman under systemd.
        case quadlet
    }

    init?(argument: String) {
        if argument == "host" {
            self = .host
        } else if let engine = Engine(rawValue: argument) {
            self = .containers(engine)
        } else if argument.hasPrefix("proxy="), let server = FrontServer(rawValue: String(argument.dropFirst(6))) {
            self = .proxy(server)
        } else if argument.hasPrefix("website="), let server = FrontServer(rawValue: String(argument.dropFirst(8))), server.isForWebsites {
            self = .website(server)
        } else {
            return nil
        }
    }

    static var allValueStrings: [String] {
        ["host"] + Engine.allCases.map(\.rawValue) + FrontServer.allCases.map { "proxy=" + $0.rawValue }
            + FrontServer.allCases.filter(\.isForWebsites).map { "website=" + $0.rawValue }
    }

    var defaultValueDescription: String { "host" }
}
