import DurableFiles
import Glibc
import Lifecycle
public import ServerConfigs
public import Settings

/// What containers stand on: the folders that are mounted into them, made on the machine with their owners.
///
/// The state directory is that of `snikket up`, so a service can move into containers and out of them.
public struct ContainerGround: Sendable {
    private let plan: ContainerPlan
    /// Whether folders can be given away.
    private let isRoot: Bool
    /// How its state becomes this version's.
    var migrations = Migration.all

    /// - Parameter version: of this program, and so of its image.
    /// - Throws: ``ApplianceError``
    public init(settings: Settings, locations: Locations) throws(ApplianceError) {
        isRoot = geteuid() == 0
        let accounts = isRoot ? (try? Accounts.installed()) ?? .forContainers() : .own
        // Containers are never root's: somebody else's all have their user.
        let own = Account(user: geteuid(), group: getegid())
        plan = ContainerPlan(
            settings: settings, locations: locations, version: Version.current,
            accounts: Dictionary(uniqueKeysWithValues: Service.allCases.map { ($0, accounts[$0] ?? own) }), certificates: accounts.certificates ?? own
        )
    }

    /// Whether a state directory has been prepared for containers.
    public static func isIn(state: String) -> Bool { access(state + "/containers", F_OK) == 0 }

    /// What the containers are.
    public var containers: ContainerPlan { plan }

    /// Makes what is missing, corrects owners and modes; takes the settings over. Servers that run notice.
    public func prepare() throws {
        let locations = plan.locations
        let certificates = plan.certificates
        try folder(locations.state, 0o711)
        // Nobody but the engine finds what is below.
        try folder(plan.shared, 0o700)
        try bringStateUpToDate()
        try folder(locations.secrets, 0o700)
        try folder(locations.prosodyData, 0o700, plan.accounts[.prosody])
        try folder(locations.portal, 0o700, plan.accounts[.portal])
        try folder(locations.certificates, 0o700, certificates)
        try folder(locations.acme, 0o700, certificates)
        try folder(plan.challenges, 0o755, certificates)
        try folder(plan.responder, 0o711, certificates)
        for service in [Service.prosody, .portal] {
            try folder(plan.shared + "/" + service.rawValue, 0o711)
            // Its socket lets in whoever can be here.
            try folder(plan.shared(service, "work"), 0o711, plan.accounts[service])
        }
        for service in [Service.prosody, .nginx, .coturn] {
            guard let account = plan.accounts[service] else { continue }
            try folder(plan.shared + "/" + service.rawValue, 0o711)
            // What is put there belongs to this group (S_ISGID), which only the server is in.
            try folder(plan.shared(service, "tls"), 0o2750, Account(user: certificates.user, group: account.group))
        }
        let secrets = try Secrets.loadOrCreate(in: locations)
        try give([("api", secrets.api), ("turn", secrets.turn)], to: .prosody)
        try give([("api", secrets.api)], to: .portal)
        try give([("turn", secrets.turn)], to: .coturn)
        try folder(plan.settingsCopy, 0o755)
        try tellVersion()
        try takeSettings()
    }

    /// What `snikket up` does at its start. Containers cannot: none of them sees the whole state.
    private func bringStateUpToDate() throws {
        let version = StateVersion(of: plan.locations.state, migrations: migrations)
        try version.check()
        // What servers have in use is changed while none of them runs, and none begins meanwhile.
        let locks = try version.changesFiles() ? try standstill() : []
        try withExtendedLifetime(locks) { try version.bringUpToDate() }
    }

    /// The locks of whoever writes into the state.
    private func standstill() throws -> [HeldLock] {
        let paths = ["lock", Restorer.containersLock].map { "\(plan.locations.state)/\($0)" }
        // Who has never run has none, and one that root made would not be the chat server's.
        return try paths.filter { path in access(path, F_OK) == 0 }.map { path in
            guard let lock = try HeldLock(path) else { throw ApplianceError.olderContainersRun(state: plan.locations.state) }
            return lock
        }
    }

    /// The version of the state, for the containers to see: see ``Serve``.
    private func tellVersion() throws {
        let version = StateVersion(of: plan.locations.state, migrations: migrations).newest
        try File.write(Array("\(version)\n".utf8), to: "\(plan.settingsCopy)/\(StateVersion.fileName)", mode: 0o644)
    }

    /// Each server has its own copy of what it shares with another, which only it can read.
    private func give(_ secrets: [(name: String, value: String)], to service: Service) throws {
        let place = plan.shared(service, "secrets")
        try folder(place, 0o700, plan.accounts[service])
        for (name, value) in secrets {
            try File.write(Array((value + "\n").utf8), to: "\(place)/\(name)", mode: 0o600, owner: isRoot ? plan.accounts[service] : nil)
        }
    }

    /// A copy, because these settings have been looked at: what is half written is never taken over.
    private func takeSettings() throws {
        let (bytes, copy) = (try File.read(plan.locations.configuration), plan.settingsCopy + "/snikket.conf")
        guard try File.readIfThere(copy) != bytes else { return }
        try File.write(bytes, to: copy, mode: 0o644)
    }

    private func folder(_ path: String, _ mode: UInt32, _ owner: Account? = nil) throws(ApplianceError) {
        do throws(FileError) {
            try Folder.make(path, mode: 0o700)
            var facts = stat()
            guard lstat(path, &facts) == 0 else { throw FileError(.write, path, errno: errno) }
            guard facts.st_mode & S_IFMT == S_IFDIR else { throw FileError(.write, path, errno: ENOTDIR) }
            if isRoot, let owner, facts.st_uid != owner.user || facts.st_gid != owner.group, lchown(path, owner.user, owner.group) != 0 {
                throw FileError(.write, path, errno: errno)
            }
            // Afterwards: giving it away takes S_ISGID off.
            guard facts.st_mode & 0o7777 == mode && !isRoot || chmod(path, mode) == 0 else { throw FileError(.write, path, errno: errno) }
        } catch {
            throw .file(error)
        }
    }
}
