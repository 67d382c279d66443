import ArgumentParser
import Glibc
import Settings

/// The options of every command.
struct CommonOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The settings.", valueName: "file"))
    var config = getenv("SNIKKET_CONFIG").map { String(cString: $0) } ?? "/etc/snikket/snikket.conf"

    @Option(help: ArgumentHelp("The state directory.", valueName: "dir"))
    var state = getenv("SNIKKET_STATE").map { String(cString: $0) } ?? CommonOptions.defaultState

    @Option(help: ArgumentHelp("The templates; found beside the program when not given.", valueName: "dir", visibility: .hidden))
    var templates: String?

    /// In a container it is another, which the image says in SNIKKET_STATE; the settings' place it says in SNIKKET_CONFIG.
    static let defaultState = "/var/lib/snikket"

    /// Where things lie, every path absolute.
    ///
    /// - Parameter needingTemplates: whether missing templates are an error; only what renders needs them.
    func locations(needingTemplates: Bool = false) throws -> Locations {
        let state = absolutePath(state)
        return Locations(
            configuration: absolutePath(config),
            state: state,
            run: state == Self.defaultState ? "/run/snikket" : state + "/run",
            templates: try templates.map(absolutePath) ?? (needingTemplates ? installedTemplates() : ""))
    }
}
