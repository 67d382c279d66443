public import DurableFiles
import Glibc
public import Settings

/// Who each program of the appliance runs as.
///
/// On a server, `snikket up` runs as root and every program has a user of its own (`snikket-prosody`, `snikket-nginx`...).
/// Started by anybody else, everything runs as that person.
public struct Accounts: Sendable {
    private let services: [Service: Account]
    /// The program that talks to the certificate authority; nil: whoever runs `snikket up`.
    public let certificates: Account?

    /// Who the service runs as; nil: whoever runs `snikket up`.
    public subscript(service: Service) -> Account? { services[service] }

    /// Each of them, by the user's name.
    public var byName: [String: Account] {
        var accounts = Dictionary(uniqueKeysWithValues: services.map { ("snikket-\($0.key.rawValue)", $0.value) })
        accounts["snikket-certs"] = certificates
        return accounts
    }

    /// Whose the folders of the state directory are, by the user's name (see ``Ground``); what is not here is root's.
    public static let stateFolders = [
        "prosody": "snikket-prosody", "portal": "snikket-portal", "certificates": "snikket-certs", "acme": "snikket-certs",
    ]

    /// Everything as the person who started the program.
    public static let own = Accounts(services: [:], certificates: nil)

    private init(services: [Service: Account], certificates: Account?) {
        self.services = services
        self.certificates = certificates
    }

    /// The users that the installation made.
    public static func installed() throws(ApplianceError) -> Accounts {
        var services: [Service: Account] = [:]
        for service in Service.allCases { services[service] = try account(named: "snikket-\(service.rawValue)") }
        return Accounts(services: services, certificates: try account(named: "snikket-certs"))
    }

    /// Users that exist nowhere else, for a trial by root: from the range that systemd gives to units without a user of
    /// their own (systemd.exec(5), DynamicUser=), so that nobody's files are in reach.
    public static func throwAway() -> Accounts {
        numbered(from: 61_184)
    }

    private static func numbered(from first: UInt32) -> Accounts {
        var services: [Service: Account] = [:]
        for (index, service) in Service.allCases.enumerated() {
            services[service] = Account(user: first + UInt32(index), group: first + UInt32(index))
        }
        let last = first + UInt32(Service.allCases.count)
        return Accounts(services: services, certificates: Account(user: last, group: last))
    }

    /// Numbers that no user of the machine has, when the installation has made none: containers need no names. From a range that systemd leaves
    /// alone (systemd's UIDS-GIDS.md).
    public static func forContainers() -> Accounts { numbered(from: 60_801) }

    private static func account(named name: String) throws(ApplianceError) -> Account {
        guard let entry = getpwnam(name) else { throw .missingUser(name) }
        return Account(user: entry.pointee.pw_uid, group: entry.pointee.pw_gid)
    }
}
