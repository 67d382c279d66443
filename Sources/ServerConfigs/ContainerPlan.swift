public import DurableFiles
public import Settings

/// The containers that the appliance is made of: what compose.yaml and the Quadlet units say, each in its own words.
///
/// Every server sees what is its own and what it shares with another, in folders that only the engine can reach, and nothing else.
public struct ContainerPlan: Sendable, Equatable {
    public var settings: Settings
    /// On the machine.
    public var locations: Locations
    /// The image that they run.
    public var image: String
    /// Who each server runs as.
    public var accounts: [Service: Account]
    /// Who the one with the certificates runs as.
    public var certificates: Account
    /// Whether the machine has IPv6: on one without, an engine refuses a network that has it.
    public var hasIPv6: Bool
    /// Whether the engine is run by somebody else than root.
    public var isRootless = false

    public init(
        settings: Settings, locations: Locations, version: String, accounts: [Service: Account], certificates: Account, hasIPv6: Bool
    ) {
        self.settings = settings
        self.locations = locations
        image = settings.containers.image ?? "localhost/snikket:\(version)"
        self.accounts = accounts
        self.certificates = certificates
        self.hasIPv6 = hasIPv6
    }

    /// One container.
    public struct Container: Sendable, Equatable {
        /// As in the status report.
        public var name: String
        public var user: Account
        /// Linux capabilities, without `CAP_`.
        public var capabilities: [String] = []
        /// In mebibytes.
        public var memory: Int
        /// Processes and threads at once.
        public var processes: Int
        public var usesHostNetwork: Bool
        /// `[ADDRESS:]PORT:PORT[/udp]`, as every engine takes it.
        public var ports: [String] = []
        /// `FOLDER:OPTIONS`, in memory.
        public var memoryFolders: [String]
        public var mounts: [Mount]
        /// Those that have to be healthy first.
        public var needs: [String] = []
    }

    /// A folder of the machine in a container.
    public struct Mount: Sendable, Equatable {
        public var source: String
        public var target: String
        public var isReadOnly: Bool
    }
}

extension ContainerPlan {
    /// What the folders that containers share lie in: below it, only root and the engine find anything.
    public var shared: String { locations.state + "/containers" }
    /// A server's part of it.
    public func shared(_ service: Service, _ name: String) -> String { "\(shared)/\(service.rawValue)/\(name)" }
    /// The settings as most containers see them: a copy without secrets, changed in one step.
    public var settingsCopy: String { shared + "/settings" }
    /// Whoever shares a secret with a TURN server, which may be on another machine: the settings can say it.
    public static let sharingRelaySecret: [Service] = [.prosody, .coturn]
    /// A server's copy of the settings.
    public func settingsCopy(of service: Service) -> String {
        Self.sharingRelaySecret.contains(service) ? shared(service, "settings") : settingsCopy
    }
    /// All of them.
    public var settingsCopies: [String] { [settingsCopy] + Self.sharingRelaySecret.map(settingsCopy(of:)) }
    public var challenges: String { shared + "/acme-challenge" }
    public var responder: String { shared + "/acme-tls" }

    var hasBridge: Bool { settings.containers.network == .bridge }
    /// Whether the network of the containers has IPv6.
    var usesIPv6: Bool { settings.ipv6 && hasIPv6 }

    /// Every container, those that need nobody first.
    public var containers: [Container] {
        [portal, nginx, certificate, prosody] + (settings.turn.enabled ? [coturn] : [])
    }

    // MARK: - Each of them

    private var prosody: Container {
        let ports = settings.ports
        return container(
            .prosody, memory: 512, processes: 64,
            ports: [ports.xmppClient, ports.xmppClientTLS, ports.proxy65] + (settings.federation ? [ports.xmppServer, ports.xmppServerTLS] : []),
            mounts: [
                Mount(source: locations.prosodyData, target: inside.prosodyData, isReadOnly: false), secrets(of: .prosody), tls(of: .prosody),
                socket(of: .prosody, isReadOnly: false),
            ])
    }

    private var nginx: Container {
        container(
            .nginx, memory: 128, processes: 64, ports: [settings.ports.http, settings.ports.https],
            // A socket can be spoken to in a folder that cannot be written.
            mounts: [
                tls(of: .nginx), socket(of: .prosody, isReadOnly: true), socket(of: .portal, isReadOnly: true),
                Mount(source: challenges, target: inside.challenges, isReadOnly: true),
                Mount(source: responder, target: inside.responder, isReadOnly: true),
            ], needs: [.portal])
    }

    private var portal: Container {
        container(
            .portal, memory: 128, processes: 64, ports: [],
            mounts: [secrets(of: .portal), socket(of: .portal, isReadOnly: false), socket(of: .prosody, isReadOnly: true)])
    }

    private var coturn: Container {
        // A relay has a port of its own for each call, in both directions: thousands that no engine can pass on. So it has the machine's network.
        container(.coturn, memory: 256, processes: 128, ports: [], mounts: [secrets(of: .coturn), tls(of: .coturn)])
    }

    private var certificate: Container {
        let folders =
            [Mount(source: locations.certificates, target: inside.certificates, isReadOnly: false)]
            + [Mount(source: locations.acme, target: inside.acme, isReadOnly: false)]
        return Container(
            name: "certificates", user: certificates, memory: 128, processes: 64, usesHostNetwork: !hasBridge, memoryFolders: memoryFolders(nil),
            mounts: [settingsMount(settingsCopy)] + folders
                + [
                    Mount(source: challenges, target: inside.challenges, isReadOnly: false),
                    Mount(source: responder, target: inside.responder, isReadOnly: false),
                ] + [Service.prosody, .nginx, .coturn].map { tls(of: $0, isReadOnly: false) } + personalFiles,
            // The authority asks nginx.
            needs: ["nginx"])
    }

    /// What all servers have in common.
    private func container(
        _ service: Service, memory: Int, processes: Int, ports: [Int], mounts: [Mount], needs: [Service] = []
    ) -> Container {
        let addresses = settings.listenAddresses.isEmpty ? [""] : settings.listenAddresses.map { ($0.contains(":") ? "[\($0)]" : $0) + ":" }
        let usesHostNetwork = !hasBridge || service == .coturn
        let bindsLowPort = usesHostNetwork && settings.usesLowPort(service)
        return Container(
            name: service.rawValue, user: accounts[service] ?? certificates, capabilities: bindsLowPort ? ["NET_BIND_SERVICE"] : [], memory: memory,
            processes: processes, usesHostNetwork: usesHostNetwork,
            ports: !usesHostNetwork ? ports.flatMap { port in addresses.map { "\($0)\(port):\(port)" } } : [], memoryFolders: memoryFolders(service),
            mounts: [settingsMount(settingsCopy(of: service))] + mounts, needs: needs.map(\.rawValue))
    }

    // MARK: - What they see

    /// Where things lie in a container.
    var inside: Locations {
        Locations(configuration: "/settings/snikket.conf", state: "/snikket", run: "/snikket/run", templates: "/usr/share/snikket/templates")
    }

    /// At a place of its own: what people have in /etc/snikket may be mounted there.
    private func settingsMount(_ copy: String) -> Mount { Mount(source: copy, target: File.folder(of: inside.configuration), isReadOnly: true) }

    /// Nobody else is in the container, so the folder is open to whoever is. The server's own is named too: mounts in it are made by root.
    private func memoryFolders(_ service: Service?) -> [String] {
        ["\(inside.state):mode=1777,size=16m", "\(inside.run):mode=1777,size=16m"]
            + (service.map { ["\(inside.run(of: $0)):mode=1777,size=64m"] } ?? [])
    }

    private func secrets(of service: Service) -> Mount {
        Mount(source: shared(service, "secrets"), target: inside.secrets, isReadOnly: true)
    }

    private func tls(of service: Service, isReadOnly: Bool = true) -> Mount {
        Mount(source: shared(service, "tls"), target: inside.run(of: service) + "/tls", isReadOnly: isReadOnly)
    }

    private func socket(of service: Service, isReadOnly: Bool) -> Mount {
        Mount(source: shared(service, "work"), target: inside.work(of: service), isReadOnly: isReadOnly)
    }

    /// The folders of the files that the settings name, at the same place. They have to be readable for the certificates' user.
    private var personalFiles: [Mount] {
        var files: [String?] = []
        switch settings.certificates {
        case .acme(let authorities):
            files = [authorities.caBundle, authorities.externalAccounts]
            if case .dns(.update(_, let keyFile)) = settings.challenge { files.append(keyFile) }
        case .files(let fullChain, let privateKey): files = [fullChain, privateKey]
        case .internalAuthority: break
        }
        // certbot's are links to another folder.
        let folders = files.compactMap(\.self).flatMap { [$0, File.real($0) ?? $0] }.map(File.folder)
        return Set(folders).sorted().map { Mount(source: $0, target: $0, isReadOnly: true) }
    }
}
