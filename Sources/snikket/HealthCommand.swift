import Appliance
import ArgumentParser

/// `snikket health NAME`
struct HealthCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Say whether one part serves: for the health checks of containers.",
        discussion: """
            The parts: \(Role.all.map(\.name).joined(separator: ", ")). Exit status: 0 when it serves, 1 when it does not. What is told is \
            the answer to the last probe, so asking costs the server nothing.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The part.")
    var part: RoleName

    func execute() async throws {
        let (isGood, state) = try await ControlClient(try common.locations()).health(of: part.role.name)
        Terminal.standardOutput.print("\(part.role.name): \(state)")
        if !isGood { throw ExitCode(Failure.Code.failed.rawValue) }
    }
}
