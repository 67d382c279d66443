import Glibc
public import Settings

/// Where the servers' programs are on this machine.
public struct ServerPrograms: Sendable, Equatable {
    public var prosody: String
    /// Prosody's own checker.
    public var prosodyctl: String
    public var nginx: String
    public var turnserver: String
    /// The file in which Debian's Prosody says its version.
    public var prosodyVersionFile = "/usr/lib/prosody/prosody.version"

    /// Finds the programs.
    ///
    /// - Parameter folders: where to look, in this order.
    /// - Throws: ``ServerConfigsError/missingProgram(_:program:package:)`` for the first that is nowhere.
    public static func installed(
        in folders: [String] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
    ) throws(ServerConfigsError) -> ServerPrograms {
        ServerPrograms(
            prosody: try find("prosody", of: .prosody, package: "prosody", folders),
            prosodyctl: try find("prosodyctl", of: .prosody, package: "prosody", folders),
            nginx: try find("nginx", of: .nginx, package: "nginx", folders),
            turnserver: try find("turnserver", of: .coturn, package: "coturn", folders))
    }

    private static func find(
        _ program: String, of service: Service, package: String, _ folders: [String]
    ) throws(ServerConfigsError) -> String {
        for folder in folders where access("\(folder)/\(program)", X_OK) == 0 { return "\(folder)/\(program)" }
        throw .missingProgram(service, program: program, package: package)
    }

    func program(of service: Service) -> String? {
        switch service {
        case .prosody: prosody
        case .nginx: nginx
        case .coturn: turnserver
        case .portal: nil
        }
    }
}

/// How a server is started and told things. Who it runs as is the caller's to add.
public struct ServerCommand: Sendable, Equatable {
    public var executable: String
    public var arguments: [String]
    /// What the server's environment has besides the usual.
    public var environment: [String: String]
    /// The signal that ends it in order.
    public var stopSignal: Int32
    /// The signal on which it reads its certificate again; Prosody and nginx their configuration as well.
    public var reloadSignal: Int32
    /// Files that a server that was killed leaves behind and that keep the next one from starting: to be removed before.
    public var staleFiles: [String]
}

extension ServerFacts {
    /// How a server is started; nil for the portal, which is a program of ours.
    public func command(for service: Service, programs: ServerPrograms) -> ServerCommand? {
        guard let file = configurationFile(of: service), let executable = programs.program(of: service) else { return nil }
        // One arena for all threads: these servers allocate little at the same time, and each arena is memory that stays.
        var command = ServerCommand(
            executable: executable, arguments: [], environment: ["MALLOC_ARENA_MAX": "1"], stopSignal: SIGTERM, reloadSignal: SIGHUP, staleFiles: [])
        switch service {
        case .prosody: command.arguments = ["-F", "--config", file]
        case .nginx:
            command.arguments = ["-e", "stderr", "-g", "daemon off;", "-c", file]
            command.stopSignal = SIGQUIT
            command.staleFiles = [healthSocket, webSocket, challengeSocket, relaySocket]
        case .coturn:
            command.arguments = ["-c", file]
            // SIGHUP opens its log anew; SIGUSR2 is the one for certificates.
            command.reloadSignal = SIGUSR2
        case .portal: return nil
        }
        return command
    }
}
