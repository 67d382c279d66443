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

    /// - Throws: ``ApplianceError``
    public init(settings: Settings, locations: Locations) throws(ApplianceError) {
        isRoot = geteuid() == 0
        let accounts = isRoot ? (try? Accounts.installed()) ?? .forContainers() : .own
        // Containers are never root's: somebody else's all have their user.
        let own = Account(user: geteuid(), group: getegid())
        var plan = ContainerPlan(
            settings: settings, locations: locations, version: Version.current,
            accounts: Dictionary(uniqueKeysWithValues: Service.allCases.map { ($0, accounts[$0] ?? own) }),
            certificates: accounts.certificates ?? own, hasIPv6: ServerFacts.machineHasIPv6())
        plan.isRootless = !isRoot
        self.plan = plan
    }

    /// Whether a state directory has been prepared for containers.
    public static func isIn(state: String) -> Bool { access(state + "/containers", F_OK) == 0 }

    /// What the containers are.
    public var containers: ContainerPlan { plan }

    /// Makes what is missing, corrects owners and modes; takes the settings over. Servers that run notice.
    public func prepare() throws {
        let locations = plan.locations
        let certificates = plan.certificates
        // A folder that is missing may be on its way.
        guard !Restorer.isUnfinished(state: locations.state) else { throw ApplianceError.restoreUnfinished(state: locations.state) }
        try folder(locations.state, 0o711)
        // Nobody but the engine finds what is below.
        try folder(plan.shared, 0o700)
        for service in Service.allCases { try folder(plan.shared + "/" + service.rawValue, 0o711) }
        for copy in plan.settingsCopies { try folder(copy, 0o755) }
        try bringStateUpToDate()
        try folder(locations.secrets, 0o700)
        try folder(locations.prosodyData, 0o700, plan.accounts[.prosody])
        try folder(locations.portal, 0o700, plan.accounts[.portal])
        try folder(locations.certificates, 0o700, certificates)
        try folder(locations.acme, 0o700, certificates)
        try folder(plan.challenges, 0o755, certificates)
        try folder(plan.responder, 0o711, certificates)
        for service in [Service.prosody, .portal] {
            // Its socket lets in whoever can be here.
            try folder(plan.shared(service, "work"), 0o711, plan.accounts[service])
        }
        for service in [Service.prosody, .nginx, .coturn] {
            guard let account = plan.accounts[service] else { continue }
            // What is put there belongs to this group (S_ISGID), which only the server is in.
            try folder(plan.shared(service, "tls"), 0o2750, Account(user: certificates.user, group: account.group))
        }
        let secrets = try Secrets.loadOrCreate(in: locations)
        try give([("api", secrets.api), ("turn", secrets.turn)], to: .prosody)
        try give([("api", secrets.api)], to: .portal)
        try give([("turn", secrets.turn)], to: .coturn)
        try takeSettings()
    }

    /// What `snikket up` does at its start. Containers cannot: none of them sees the whole state.
    private func bringStateUpToDate() throws {
        let version = StateVersion(of: plan.locations.state, migrations: migrations)
        try version.check()
        // What servers have in use is changed while none of them runs.
        let locks = try version.changesFiles() ? try standstill() : []
        // Without it no container begins, of whichever version, until all is done.
        if !locks.isEmpty { for copy in versionCopies { unlink(copy) } }
        try withExtendedLifetime(locks) {
            try version.bringUpToDate()
            for copy in versionCopies { try File.write(Array("\(version.newest)\n".utf8), to: copy, mode: 0o644) }
        }
    }

    /// The version of the state, for the containers to see beside their settings: see ``Serve``.
    private var versionCopies: [String] { plan.settingsCopies.map { "\($0)/\(StateVersion.fileName)" } }

    /// The locks of whoever writes into the state.
    private func standstill() throws -> [HeldLock] {
        let paths = (["lock"] + Restorer.containerLocks).map { "\(plan.locations.state)/\($0)" }
        // Who has never run has none, and one that root made would not be the server's.
        return try paths.filter { path in access(path, F_OK) == 0 }.map { path in
            guard let lock = try HeldLock(path) else { throw ApplianceError.olderContainersRun(state: plan.locations.state) }
            return lock
        }
    }

    /// Each server has its own copy of what it shares with another, which only it can read.
    private func give(_ secrets: [(name: String, value: String)], to service: Service) throws {
        let place = plan.shared(service, "secrets")
        try folder(place, 0o700, plan.accounts[service])
        for (name, value) in secrets {
            try File.write(Array((value + "\n").utf8), to: "\(place)/\(name)", mode: 0o600, owner: isRoot ? plan.accounts[service] : nil)
        }
    }

    /// Copies, because these settings have been looked at: what is half written is never taken over. A secret in them is only in the copy of whom it
    /// concerns.
    private func takeSettings() throws {
        let bytes = try File.read(plan.locations.configuration)
        let text = String(decoding: bytes, as: UTF8.self)
        try put(Settings.text(text, hidingSecretsBut: []), into: plan.settingsCopy, mode: 0o644)
        for service in ContainerPlan.sharingRelaySecret {
            let copy = plan.settingsCopy(of: service)
            try put(Settings.text(text, hidingSecretsBut: [Settings.relaySecretOption]), into: copy, mode: 0o600, owner: plan.accounts[service])
        }
    }

    private func put(_ settings: String, into folder: String, mode: mode_t, owner: Account? = nil) throws {
        let (bytes, copy) = (Array(settings.utf8), folder + "/snikket.conf")
        var facts = stat()
        let isOwners = owner == nil || !isRoot || lstat(copy, &facts) == 0 && facts.st_uid == owner?.user
        guard try !isOwners || File.readIfThere(copy) != bytes else { return }
        try File.write(bytes, to: copy, mode: mode, owner: isRoot ? owner : nil)
    }

    private func folder(_ path: String, _ mode: UInt32, _ owner: Account? = nil) throws {
        do throws(FileError) { try Folder.make(path, mode: 0o700) } catch { throw ApplianceError.file(error) }
        // A user that there was not the last time has what was another's until now.
        if isRoot, let owner { try StateHandover.give(path, to: owner) }
        var facts = stat()
        guard lstat(path, &facts) == 0 else { throw ApplianceError.file(FileError(.write, path, errno: errno)) }
        guard facts.st_mode & S_IFMT == S_IFDIR else { throw ApplianceError.file(FileError(.write, path, errno: ENOTDIR)) }
        // Afterwards: giving it away takes S_ISGID off.
        guard facts.st_mode & 0o7777 == mode && !isRoot || chmod(path, mode) == 0 else {
            throw ApplianceError.file(FileError(.write, path, errno: errno))
        }
    }
}
