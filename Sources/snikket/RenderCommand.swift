import Appliance
import ArgumentParser
import DurableFiles
import Glibc
import ServerConfigs
import Settings
import Supervision

struct RenderCommand: Command {
    static let configuration = CommandConfiguration(
        commandName: "render",
        abstract: "Write the servers' configuration files, or show what would change.",
        discussion: """
            Nothing is started or reloaded: `snikket up` does the same by itself. With --output the files go to a folder of your own, \
            as SERVICE/FILE, for a look. With --diff nothing is written; secrets are masked.

            --target compose makes containers of it: compose.yaml for `docker compose` and `podman-compose`, in /etc/snikket/containers unless \
            --output says where, and the folders that are mounted, in the state directory. --target quadlet does it for Podman under \
            systemd. When snikket.conf has changed, run it again: the containers notice what concerns them.
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var overrides: SettingOverrides

    @Option(help: ArgumentHelp("Where to write, instead of the place that the servers read.", valueName: "dir"))
    var output: String?

    @Option(help: "For what: \(Target.allCases.map(\.rawValue).joined(separator: ", ")).")
    var target = Target.host

    @Flag(help: "Show what would change, as a unified diff.")
    var diff = false

    func execute() async throws {
        let locations = try common.locations(needingTemplates: true)
        let settings = try readSettings(locations, overrides: overrides.values)
        if target != .host { return try renderContainers(settings, locations) }
        let facts = ServerFacts(
            settings: settings, locations: locations, secrets: try secrets(locations), hasIPv6: ServerFacts.machineHasIPv6())
        var files = try facts.files()
        if let output { files = files.moved(from: locations, to: absolutePath(output)) }
        if diff {
            print(try files.difference(), terminator: "")
            return
        }
        var owner: @Sendable (Service) -> Account? = { _ in nil }
        if output == nil {
            owner = try owners()
            try await Acceptance(facts: facts, programs: try .installed(), account: owner).check(files)
        }
        let changed = try files.write(for: owner)
        for service in Service.allCases where files.contains(where: { $0.service == service }) {
            print("\(service.rawValue): \(changed.contains(service) ? "written" : "unchanged")")
        }
    }

    /// The stored secrets. Where there are none yet, and for a look only, others that are kept nowhere.
    private func secrets(_ locations: Locations) throws -> Secrets {
        do throws(ServerConfigsError) {
            return try Secrets.load(from: locations)
        } catch {
            guard case .file(let problem) = error, problem.errno == ENOENT else { throw error }
            return diff || output != nil ? .random() : try Secrets.loadOrCreate(in: locations)
        }
    }

    /// Who the files belong to: as for `snikket up`.
    private func owners() throws -> @Sendable (Service) -> Account? {
        let accounts = geteuid() == 0 ? try Accounts.installed() : .own
        return { service in accounts[service] }
    }
}
