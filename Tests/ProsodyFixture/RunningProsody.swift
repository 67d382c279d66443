public import ChatServer
import FoundationEssentials
import Glibc
public import LocalHTTP
import Subprocess
import SystemPackage

/// A real Prosody of a test's own: free ports, a folder of its own, our module, a small configuration. Ended with the test.
public struct RunningProsody: Sendable {
    public let domain = "chat.test"
    public let secret = "5ecre75ecre75ecre75ecre75ecre75ecre7"
    public let port: Int
    public let clientPort: Int
    let folder: String

    /// The API as the programs use it.
    public var server: Prosody { Prosody(port: port, domain: domain, secret: secret) }

    /// The API without manners.
    public func client(host: String? = nil) -> LocalHTTPClient {
        LocalHTTPClient(target: .tcp(host: "127.0.0.1", port: port), hostHeader: host ?? domain)
    }

    /// Everything that Prosody has logged, down to its debug level.
    public func log() throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: folder + "/debug.log")), as: UTF8.self)
    }

    /// Runs Prosody while `body` runs.
    ///
    /// - Parameter port: its HTTP port, when it shall be that one.
    /// - Throws: ``FixtureError/notStarted(output:)`` when it cannot have its ports, or is not ready after half a minute.
    public static func with<Result: Sendable>(
        port wanted: Int? = nil, _ body: (RunningProsody) async throws -> Result
    ) async throws -> Result {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (port, clientPort) = (try ReservedPort(), try ReservedPort())
        let prosody = RunningProsody(port: wanted ?? port.number, clientPort: clientPort.number, folder: folder)
        let result = try await prosody.run(body)
        withExtendedLifetime((port, clientPort)) {}
        return result
    }

    func run<Result: Sendable>(_ body: (RunningProsody) async throws -> Result) async throws -> Result {
        try prepare()
        var arguments = ["prosody", "--config", folder + "/prosody.cfg.lua", "-F"]
        // Prosody refuses to be root.
        if getuid() == 0 { arguments = ["setpriv", "--reuid=\(account)", "--regid=\(account)", "--clear-groups"] + arguments }
        let outcome = try await Subprocess.run(
            .name(arguments[0]), arguments: Arguments(Array(arguments.dropFirst())), input: .none, output: .sequence,
            error: .combinedWithOutput
        ) { execution in
            let result: Swift.Result<Result, any Error>
            do {
                try await Self.waitUntilReady(execution.standardOutput.strings(), orKill: execution.processIdentifier.value)
                result = .success(try await body(self))
            } catch {
                result = .failure(error)
            }
            await execution.teardown(using: [.gracefulShutDown(allowedDurationToNextStep: .seconds(10))])
            return result
        }
        return try outcome.closureResult.get()
    }

    /// Prosody's last line at start is the module's; nothing it prints afterwards fills a pipe.
    ///
    /// A Prosody that could not have its port says so and runs on: waiting for the line that says where it listens would never end.
    private static func waitUntilReady(_ output: some AsyncSequence<String, any Error>, orKill pid: Int32) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask {
                try await Task.sleep(for: .seconds(30))
                // Its output ends with it.
                kill(pid, SIGKILL)
            }
            var seen = ""
            for try await line in output {
                seen += line + "\n"
                if line.contains("Failed to open server port") || line.contains("Not listening on any ports") { break }
                if line.contains("Serving 'fixture'") { return }
            }
            throw FixtureError.notStarted(output: seen)
        }
    }
}

public enum FixtureError: Error {
    case notStarted(output: String)
    case system(String, errno: Int32)
    case tooLate(String)
    case closed
}

/// A user and group that own nothing else.
private let account: UInt32 = 61184

extension RunningProsody {
    private func prepare() throws {
        let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let files = FileManager.default
        for name in ["data", "modules"] { try files.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true) }
        for name in ["mod_snikket_api.lua", "snikket_statistics.lib.lua"] {
            try files.copyItem(atPath: repository.path + "/templates/prosody/modules/" + name, toPath: folder + "/modules/" + name)
        }
        try Data(fixtureModule.utf8).write(to: URL(filePath: folder + "/modules/mod_fixture.lua"))
        try Data(configuration.utf8).write(to: URL(filePath: folder + "/prosody.cfg.lua"))
        if getuid() == 0 {
            for name in ["", "/data", "/modules"] where chown(folder + name, account, account) != 0 {
                throw FixtureError.system("chown", errno: errno)
            }
        }
    }

    private var configuration: String {
        """
        pidfile = "\(folder)/prosody.pid"
        data_path = "\(folder)/data"
        plugin_paths = { "\(folder)/modules" }
        modules_enabled = {
            "roster"; "saslauth"; "disco"; "pep"; "presence"; "register_ibr"; "invites"; "invites_register";
            "account_activity"; "http"; "snikket_api"; "fixture";
        }
        modules_disabled = { "s2s"; "tls" }
        c2s_require_encryption = false
        allow_unencrypted_plain_auth = true
        allow_registration = true
        registration_invite_only = true
        storage = "sql"
        sql = { driver = "SQLite3", database = "prosody.sqlite" }
        authentication = "internal_hashed"
        log = { { levels = { min = "info" }, to = "console" }, { levels = { min = "debug" }, to = "file", filename = "\(folder)/debug.log" } }
        interfaces = { "127.0.0.1" }
        c2s_ports = { \(clientPort) }
        c2s_direct_tls_ports = {}
        http_ports = { \(port) }
        http_interfaces = { "127.0.0.1" }
        https_ports = {}
        http_default_host = "\(domain)"
        snikket_api_secret = "\(secret)"
        invites_page = "https://\(domain)/invite/{invite.token}/"
        VirtualHost "\(domain)"
        """
    }

    /// What a person's app would do and show, without an app.
    private var fixtureModule: String {
        """
        local invites = module:depends("invites");
        local rostermanager = require "prosody.core.rostermanager";
        local json = require "prosody.util.json";
        module:depends("snikket_api");
        module:depends("http");
        module:provides("http", { route = {
            ["GET /contact-invitation/*"] = function (_, username)
                local invite = invites.create_contact(username, true);
                return json.encode({ token = invite.token, page = invite.landing_page });
            end;
            ["GET /contacts/*"] = function (_, username)
                local contacts = {};
                for jid, item in pairs(rostermanager.load_roster(username, module.host)) do
                    if jid then contacts[jid] = item.subscription; end
                end
                return json.encode(contacts);
            end;
        } });
        """
    }
}

/// A new folder; whoever asked for it removes it.
public func temporaryFolder() throws -> String {
    var template = Array("/tmp/snikket-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw FixtureError.system("mkdtemp", errno: errno) }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Tries until it works, and lets the last error out when the time is over.
public func eventually<Result>(within limit: Duration = .seconds(10), _ attempt: () async throws -> Result) async throws -> Result {
    let end = ContinuousClock.now + limit
    while true {
        do {
            return try await attempt()
        } catch {
            guard ContinuousClock.now < end else { throw error }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
