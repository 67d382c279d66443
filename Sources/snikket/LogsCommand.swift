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
              snikket logs --follow --json

            With --json each line is an object with `service`, `moment` (RFC 3339; empty when the line has none) and `text`.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(
        help: "Whose lines: \(Service.allCases.map(\.rawValue).joined(separator: ", ")). All when not given.",
        transform: { name in
            guard let service = Service(rawValue: name) else { throw ValidationError("there is no server '\(name)'.") }
            return service
        })
    var services: [Service] = []

    // Else -1 would be an option that is not there.
    @Option(name: [.short, .long], parsing: .unconditional, help: "How many lines.")
    var lines = 50

    @Flag(name: [.short, .long], help: "Go on with new lines until interrupted.")
    var follow = false

    @Flag(help: "Print an object a line, for scripts.")
    var json = false

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
        let form = Form(isJSON: json, isNamed: chosen.count > 1)
        guard Self.show(reader.last(lines), form), follow else { return }
        await reader.follow { Self.show($0, form) }
    }

    private struct Form {
        var isJSON: Bool
        /// Whether each line says whose it is.
        var isNamed: Bool

        func text(_ line: LogLine) -> String {
            if isJSON { return (try? jsonLine(["service": line.service, "moment": line.moment, "text": line.text])) ?? "" }
            let width = Service.allCases.map(\.rawValue.count).max() ?? 0
            let name = isNamed ? line.service + String(repeating: " ", count: max(0, width - line.service.count)) + "  " : ""
            return "\(line.moment)  \(name)\(line.text)"
        }
    }

    /// Prints lines; false when nobody reads them any more.
    private static func show(_ lines: [LogLine], _ form: Form) -> Bool {
        let text = lines.map { form.text($0) + "\n" }.joined()
        do {
            try FileDescriptor.standardOutput.writeAll(text.utf8)
            return true
        } catch {
            return false
        }
    }
}
