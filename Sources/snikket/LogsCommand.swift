import ArgumentParser
import Glibc
import Settings
import Supervision
import SystemPackage

/// `snikket logs`
struct LogsCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Show what the servers say.",
        discussion: """
            Without a name, the lines of all servers in the order of time.

              snikket logs prosody --lines 200
              snikket logs --follow
            """)

    @OptionGroup var common: CommonOptions

    @Argument(
        help: "Whose lines: \(Service.allCases.map(\.rawValue).joined(separator: ", ")). All when not given.",
        transform: { name in
            guard let service = Service(rawValue: name) else { throw ValidationError("there is no server '\(name)'.") }
            return service
        })
    var services: [Service] = []

    @Option(name: [.short, .long], help: "How many lines.")
    var lines = 50

    @Flag(name: [.short, .long], help: "Go on with new lines until interrupted.")
    var follow = false

    func validate() throws {
        guard lines >= 0 else { throw ValidationError("--lines has to be 0 or more.") }
    }

    func execute() async throws {
        let chosen = services.isEmpty ? Service.allCases : services
        let folder = try common.locations().logs
        guard access(folder, R_OK | X_OK) == 0 else {
            throw Failure(
                error: "cannot read the logs in \(folder)", cause: String(cString: strerror(errno)),
                tryThis: errno == EACCES ? "run it as root" : "start the servers first, or name the state directory with --state")
        }
        // A closed pipe (`snikket logs | head`) is an end, not an error.
        signal(SIGPIPE, SIG_IGN)
        var reader = LogReader(folder: folder, services: chosen.map(\.rawValue))
        let isNamed = chosen.count > 1
        guard Self.show(reader.last(lines), named: isNamed), follow else { return }
        await reader.follow { Self.show($0, named: isNamed) }
    }

    /// Prints lines; false when nobody reads them any more.
    private static func show(_ lines: [LogLine], named isNamed: Bool) -> Bool {
        let width = Service.allCases.map(\.rawValue.count).max() ?? 0
        let text = lines.map { line in
            let name = isNamed ? line.service + String(repeating: " ", count: max(0, width - line.service.count)) + "  " : ""
            return "\(line.moment)  \(name)\(line.text)\n"
        }.joined()
        do {
            try FileDescriptor.standardOutput.writeAll(text.utf8)
            return true
        } catch {
            return false
        }
    }
}
