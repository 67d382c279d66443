import DurableFiles
import Glibc
import Lifecycle
import Settings

/// The folders that everything stands on, with their owners.
enum Ground {
    /// Makes what is missing, corrects owners and modes.
    ///
    /// What a server writes itself lies in folders of its own user, which nobody else can enter; nginx alone reaches the portal's
    /// socket, the responder's and the challenges. Everything else is ours: a server that has been broken into can lay no links for us to follow.
    /// Root does this without the capabilities to override permissions.
    ///
    /// Only for who has the ``RunLock``: what would be corrected is somebody else's else.
    static func prepare(_ locations: Locations, accounts: Accounts) throws(ApplianceError) {
        try prepareState(locations)
        try folder(locations.run, mode: 0o711)
        try folder(locations.control, mode: 0o700)
        try folder(locations.secrets, mode: 0o700)
        try folder(locations.logs, mode: 0o700)
        try folder(locations.prosodyData, mode: 0o700, owner: accounts[.prosody])
        try folder(locations.portal, mode: 0o700, owner: accounts[.portal])
        try folder(locations.certificates, mode: 0o700, owner: accounts.certificates)
        try folder(locations.acme, mode: 0o700, owner: accounts.certificates)
        try folder(locations.challenges, mode: 0o755, owner: accounts.certificates)
        let web = accounts[.nginx]
        try folder(locations.responder, owner: accounts.certificates, openTo: web)
        for service in Service.allCases {
            try folder(locations.run(of: service), mode: 0o711)
            let isAsked = service == .nginx || service == .portal
            try folder(locations.work(of: service), owner: accounts[service], openTo: isAsked ? web : nil)
        }
        if let web { try join(web) }
        for socket in [locations.controlSocket + ".new", locations.portalSocket, locations.work(of: .nginx) + "/health.sock"] {
            // The kernel's limit for a socket's path (unix(7)), the zero at its end included.
            guard socket.utf8.count < 108 else { throw .pathTooLong(socket) }
        }
    }

    /// The state directory itself, before anything is known of who uses it.
    static func prepareState(_ locations: Locations) throws(ApplianceError) {
        // A folder that is missing may be on its way.
        guard !Restorer.isUnfinished(state: locations.state) else { throw .restoreUnfinished(state: locations.state) }
        try folder(locations.state, mode: 0o711)
    }

    /// A folder of a program's own, which one group may enter to reach a socket in it.
    private static func folder(_ path: String, owner: Account?, openTo other: Account?) throws(ApplianceError) {
        guard let owner, let other else { return try folder(path, mode: 0o700, owner: owner) }
        try folder(path, mode: 0o710, owner: Account(user: owner.user, group: other.group))
    }

    /// nginx's group lets us reach its socket and the portal's, to ask whether they serve, without overriding permissions.
    private static func join(_ account: Account) throws(ApplianceError) {
        var groups = [gid_t](repeating: 0, count: max(0, Int(getgroups(0, nil))))
        guard getgroups(Int32(groups.count), &groups) == groups.count, !groups.contains(account.group) else { return }
        groups.append(account.group)
        guard setgroups(groups.count, groups) == 0 else { throw .missingCapability("CAP_SETGID") }
    }

    /// Makes one folder, and its parents; an existing one is given its mode and owner.
    private static func folder(_ path: String, mode: mode_t, owner: Account? = nil) throws(ApplianceError) {
        if mkdir(path, mode) != 0 {
            switch errno {
            case EEXIST: break
            case ENOENT:
                guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { throw refused(path) }
                try folder(String(path[..<slash]), mode: 0o755)
                guard mkdir(path, mode) == 0 else { throw refused(path) }
            default: throw refused(path)
            }
        }
        var facts = stat()
        guard lstat(path, &facts) == 0 else { throw refused(path) }
        // A link here could lead root's chown anywhere.
        guard facts.st_mode & S_IFMT == S_IFDIR else { throw .file(FileError(.write, path, errno: ENOTDIR)) }
        let (user, group) = owner.map { ($0.user, $0.group) } ?? (facts.st_uid, facts.st_gid)
        if facts.st_mode & 0o7777 != mode {
            if facts.st_uid != geteuid() {
                // What is another's we can give away but not change, which would take CAP_FOWNER: so it becomes ours for a moment.
                guard lchown(path, geteuid(), getegid()) == 0 else { throw refused(path) }
                (facts.st_uid, facts.st_gid) = (geteuid(), getegid())
            }
            guard chmod(path, mode) == 0 else { throw refused(path) }
        }
        if facts.st_uid != user || facts.st_gid != group {
            guard lchown(path, user, group) == 0 else { throw refused(path) }
        }
    }

    private static func refused(_ path: String) -> ApplianceError {
        .file(FileError(.write, path, errno: errno))
    }
}
