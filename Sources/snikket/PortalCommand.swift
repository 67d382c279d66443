import ArgumentParser
import DurableFiles
import Logging
import Portal

/// `snikket portal`: the web pages, as a process and a user of its own. `snikket up` runs it; people do not.
struct PortalCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "portal", abstract: "Serve the web pages (run by `snikket up`).", shouldDisplay: false)

    @Option(help: ArgumentHelp("What `snikket up` wrote for the portal.", valueName: "file"))
    var file: String

    func execute() async throws {
        do {
            let configuration = try PortalConfiguration.read(from: file)
            let logger = Logger(label: "portal") { StreamLogHandler.standardError(label: $0) }
            try await PortalServer(configuration, logger: logger).runUntilStopped()
        } catch let error as FileError {
            throw Failure(error)
        } catch let error as PortalError {
            throw Failure(error)
        }
    }
}
