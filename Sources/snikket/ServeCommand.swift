import Appliance
import ArgumentParser
import Preflight
import Settings

/// `snikket serve ROLE`: what every container runs.
struct ServeCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run one part of the appliance, as a container's first process.",
        discussion: """
            `snikket render --target compose` makes the containers. The roles: \(Role.all.map(\.name).joined(separator: ", ")).
            """,
        shouldDisplay: false)

    @OptionGroup var common: CommonOptions

    @Argument(help: "What this container does.")
    var role: RoleName

    func execute() async throws {
        let locations = try common.locations(needingTemplates: true)
        let source = settingsSource(locations, overrides: [])
        let settings = try source.read()
        let relay = RelayAddress(settings: settings)
        try await Serve(
            role.role, settings: settings, from: source, locations: locations, programs: try programFolder(),
            findRelayAddress: { await relay.find() }
        ).start()
    }
}

/// A role, as an argument.
struct RoleName: ExpressibleByArgument {
    let role: Role

    init?(argument: String) {
        guard let role = Role(name: argument) else { return nil }
        self.role = role
    }

    static var allValueStrings: [String] { Role.all.map(\.name) }
}
