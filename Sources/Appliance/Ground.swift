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
    static func prepare(_ locations: Locations, accounts: Accounts) throws(ApplianceError) {
        // A folder that is missing may be on its way.
        guard !Restorer.isUnfinished(state: locations.state) else { throw .restoreUnfinished(state: locations.state) }
        try folder(locations.state, mode: 0o711)
        try folder(locations.run, mode: 0o711)
        try folder(locations.control, mode: 0o700)
        try folder(locations.secrets, mode: 0o700)
        try folder(locations.logs, mode: 0o700)
        try folder(locations.prosodyData, mode: 0o700, owner: accounts[.prosody])
        try folder(locations.portal, mode: 0o700, owner: accounts[.portal])
        try folder(locations.certificates, mode: 0o700, owner: accounts.certificates)
        try folder(locations.acme, mode: 0o700, owner: accounts.certificates)
        try folder(locations.challenges, mode: 0o755, owner: accounts.certificates)
        try folder(locations.responder, mode: 0o700, owner: accounts.certificates)
        for service in Service.allCases {
            try folder(locations.run(of: service), mode: 0o711)
            try folder(locations.work(of: service), mode: 0o700, owner: accounts[service])
        }
        if let portal = accounts[.portal], let web = accounts[.nginx] {
            try folder(locations.work(of: .portal), mode: 0o710, owner: Account(user: portal.user, group: web.group))
        }
        if let responder = accounts.certificates, let web = accounts[.nginx] {
            try folder(locations.responder, mode: 0o710, owner: Account(user: responder.user, group: web.group))
        }
        for socket in [locations.controlSocket + ".new", locations.portalSocket, locations.work(of: .nginx) + "/health.sock"] {
            // The kernel's limit for a socket's path (unix(7)), the zero at its end included.
            guard socket.utf8.count < 108 else { throw .pathTooLong(socket) }
        }
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
        guard facts.st_mode & S_IFMT == S_IFDIR else { throw .file(path: path, problem: "it is not a folder") }
        if let owner, facts.st_uid != owner.user || facts.st_gid != owner.group {
            guard lchown(path, owner.user, owner.group) == 0 else { throw refused(path) }
        }
        if facts.st_mode & 0o7777 != mode {
            guard chmod(path, mode) == 0 else { throw refused(path) }
        }
    }

    private static func refused(_ path: String) -> ApplianceError {
        .file(path: path, problem: String(cString: strerror(errno)))
    }
}
