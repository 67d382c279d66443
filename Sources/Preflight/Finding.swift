/// One line of the report: what was looked at, how it is, and what to do about it.
///
/// The words are made where the judgement is: each check is a file that holds both. Nothing decides on them afterwards; what a script
/// needs is in ``topic``, ``level`` and ``records``.
public struct Finding: Sendable, Equatable {
    /// What it is about.
    public var topic: Topic
    /// How it is.
    public var level: Level
    /// What was seen, without a full stop.
    public var what: String
    /// What to do; nil when there is nothing to do.
    public var remedy: String?
    /// The DNS records that have to be there, as in a zone file: name, type, value.
    public var records: [String]

    public init(_ topic: Topic, _ level: Level, _ what: String, try remedy: String? = nil, records: [String] = []) {
        self.topic = topic
        self.level = level
        self.what = what
        self.remedy = remedy
        self.records = records
    }

    /// How something is.
    public enum Level: String, Sendable, Comparable, CaseIterable {
        /// As it has to be.
        case green
        /// It may do, or cannot be told from here.
        case yellow
        /// It will not work like this.
        case red

        public static func < (one: Level, other: Level) -> Bool { one.rank < other.rank }
        private var rank: Int { self == .green ? 0 : self == .yellow ? 1 : 2 }
    }

    /// What a line is about: its name in the JSON form, which scripts rely on.
    public enum Topic: String, Sendable, CaseIterable {
        case settings
        case resolver, hosts, address, service, website, caa
        case ipv6, ports, reachable, firewall
        case clock, disk, memory, files
        case programs, updates, otherServers = "other_servers"
        case certificate

        /// The heading that it stands under.
        public var group: Group {
            switch self {
            case .settings: .settings
            case .resolver, .hosts, .address, .service, .caa, .website: .dns
            case .ipv6, .ports, .reachable, .firewall: .network
            case .clock, .disk, .memory, .files: .machine
            case .programs, .updates, .otherServers: .programs
            case .certificate: .certificate
            }
        }
    }

    /// The headings, in the order of the report.
    public enum Group: String, Sendable, CaseIterable { case settings, dns = "DNS", network, machine, programs, certificate }
}

extension [Finding] {
    /// The worst of them: the verdict.
    public var verdict: Finding.Level { map(\.level).max() ?? .green }
}
