import DurableFiles
import Glibc
import ServerConfigs
import Settings
import Subprocess
import SystemPackage

/// A folder with everything that the real servers need: rendered files, a self-signed certificate, and a user without rights.
struct Stage: Sendable {
    let folder: Folder
    let facts: ServerFacts
    let programs: ServerPrograms

    /// Nobody's: from the range that systemd gives to units without a user of their own. Tests that do not run as root use themselves.
    static let account: Account? = getuid() == 0 ? Account(user: 61_190, group: 61_190) : nil

    /// - Parameter place: the name of the folder in which the servers' files are.
    init(_ settings: Settings, phase: ServerFacts.Phase = .serving, place: String? = nil) async throws {
        folder = try Folder()
        var base = folder.path
        if let place {
            base += "/" + place
            try Self.make(base)
        }
        let locations = Locations(
            configuration: folder.path + "/snikket.conf", state: base + "/state", run: base + "/run", templates: Checkout.templates)
        facts = ServerFacts(settings: settings, locations: locations, secrets: .random(), phase: phase)
        programs = try ServerPrograms.installed()
        for path in [locations.state, locations.run, locations.prosodyData, locations.challenges, locations.run(of: .portal)] { try Self.make(path) }
        let certificate = folder.path + "/certificate.pem"
        let key = folder.path + "/key.pem"
        let names = settings.certificateNames.map { "DNS:\($0)" }.joined(separator: ",")
        let result = try await run(
            .name("openssl"),
            arguments: [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=test",
                "-addext", "subjectAltName=\(names)", "-keyout", key, "-out", certificate,
            ], output: .discarded, error: .string(limit: 10_000))
        guard result.terminationStatus.isSuccess else { throw Folder.Problem(what: result.standardError, code: 1) }
        for service in [Service.prosody, .nginx, .coturn] {
            try Self.make(locations.run(of: service))
            try Self.make(locations.run(of: service) + "/tls")
            try Self.make(locations.work(of: service))
            for (from, to) in [(certificate, facts.certificate(of: service)), (key, facts.privateKey(of: service))] {
                try Folder.write(try Folder.read(from), to: to)
                Self.own(to)
            }
        }
    }

    func acceptance() -> Acceptance {
        Acceptance(facts: facts, programs: programs, account: { _ in Stage.account })
    }

    private static func make(_ path: String) throws {
        guard mkdir(path, 0o755) == 0 else { throw Folder.Problem(what: path, code: errno) }
        own(path)
    }

    private static func own(_ path: String) {
        if let account { chown(path, account.user, account.group) }
    }
}

/// Blocks of free ports on loopback, no two tests the same.
enum FreePorts {
    static func block(of count: Int) throws -> Int {
        for _ in 0..<200 {
            let first = Int.random(in: 20_000..<30_000)
            if (first..<first + count).allSatisfy(isFree) { return first }
        }
        throw Folder.Problem(what: "no free ports", code: 0)
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        } == 0
    }
}
