import Appliance
import ArgumentParser
import CertificateStore
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

            With --target proxy=NAME the part is printed that another web server on this machine needs to pass our names on: nginx, apache, \
            caddy, traefik, haproxy or sslh. With --target website=NAME the lines are printed that lead from the website of a domain that is one \
            already (SNIKKET_WEB_HOST) to here: nginx, apache or caddy.
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var overrides: SettingOverrides

    @Option(
        help: ArgumentHelp("For whom: host, compose, quadlet, proxy=NAME or website=NAME.", valueName: "target"),
        completion: .list(RenderTarget.allValueStrings))
    var target = RenderTarget.host

    @Option(help: ArgumentHelp("For --target proxy=nginx and apache: a certificate for the web pages, instead of Snikket's own.", valueName: "file"))
    var certificate: String?

    @Option(help: ArgumentHelp("Its private key.", valueName: "file"))
    var key: String?

    @Option(help: ArgumentHelp("Where to write, instead of the place that the servers read.", valueName: "dir"))
    var output: String?

    @Flag(help: "Show what would change, as a unified diff.")
    var diff = false

    func validate() throws {
        guard certificate != nil || key != nil else { return }
        guard case .proxy(let server) = target, server.needsCertificate else {
            throw ValidationError("--certificate and --key are for --target proxy=nginx and proxy=apache only.")
        }
        guard certificate != nil, key != nil else { throw ValidationError("--certificate and --key belong together.") }
    }

    func execute() async throws {
        let locations = try common.locations(needingTemplates: true)
        let settings = try readSettings(locations, overrides: overrides.values)
        if case .containers(let engine) = target { return try renderContainers(for: engine, settings, locations) }
        if case .website(let server) = target { return try printLines(forWebsiteOf: server, settings, locations) }
        if case .proxy(let server) = target { return try printPart(of: server, settings, locations) }
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

    /// Prints what the website of the domain needs.
    private func printLines(forWebsiteOf server: FrontServer, _ settings: Settings, _ locations: Locations) throws {
        guard settings.isDomainElsewhere else {
            throw Failure(
                error: "\(settings.domain) is not said to be a website of its own", cause: "SNIKKET_WEB_HOST is not set",
                tryThis: "put SNIKKET_WEB_HOST=chat.\(settings.domain) into snikket.conf",
                code: .configuration)
        }
        let facts = ServerFacts(settings: settings, locations: locations, secrets: Secrets(api: "", turn: ""))
        print(try facts.lines(forWebsiteOf: server), terminator: "")
    }

    /// Prints what another server in front needs.
    private func printPart(of server: FrontServer, _ settings: Settings, _ locations: Locations) throws {
        let missing = server.missing(from: settings)
        guard missing.isEmpty else { throw Failure(missing, for: server, file: locations.configuration) }
        // It holds no secret.
        let facts = ServerFacts(
            settings: settings, locations: locations, secrets: Secrets(api: "", turn: ""), hasIPv6: ServerFacts.machineHasIPv6())
        var pair: (fullChain: String, privateKey: String)?
        if let certificate, let key {
            pair = (absolutePath(certificate), absolutePath(key))
            for path in [absolutePath(certificate), absolutePath(key)] where access(path, F_OK) != 0 {
                throw Failure(FileError(.read, path, errno: errno))
            }
        } else if server.needsCertificate, try CertificateStore(folder: locations.certificates).current() != nil {
            pair = (locations.certificates + "/current/fullchain.pem", locations.certificates + "/current/privkey.pem")
        }
        print(try facts.part(of: server, certificate: pair), terminator: "")
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
