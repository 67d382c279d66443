import FoundationEssentials

/// How the appliance is, as `snikket status --json` prints it. Its form is stable: scripts read it.
public struct StatusReport: Codable, Sendable, Equatable {
    /// Whether every server serves, the certificate is good, and what people write can be kept.
    public var healthy: Bool
    /// `starting`, `running` or `stopping`.
    public var phase: Phase
    public var services: [ServiceReport]
    public var certificate: CertificateReport?
    /// The file system of the state directory; nil when it cannot be told.
    public var disk: DiskReport?
    /// What is wrong with the machine or the appliance as a whole, and which server fails again and again. What is wrong with one server now is with
    /// that server, and what is wrong with the certificate with the certificate.
    public var problems: [MatterReport] = []
    /// What the administrators are told of.
    public var telling: TellingReport = .init(matters: [], undelivered: 0)
    /// A newer release of snikket that has not come by itself.
    public var release: ReleaseReport?
    /// Whether the settings' file is another one than when it was taken over last; `snikket reload` puts it into force.
    public var settingsChanged: Bool
    /// What listens where, by the name of the port: `https`, `xmpp_client`...
    public var ports: [String: Int]
    /// The chat service's domain.
    public var domain: String
    /// The address of the portal.
    public var url: String
    /// Of this program.
    public var version: String
    /// Of the servers' programs, by their names.
    public var versions: [String: String] = [:]

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(healthy, forKey: .healthy)
        try values.encode(phase, forKey: .phase)
        try values.encode(services, forKey: .services)
        try values.encode(certificate, forKey: .certificate)
        try values.encode(disk, forKey: .disk)
        try values.encode(problems, forKey: .problems)
        try values.encode(telling, forKey: .telling)
        try values.encode(release, forKey: .release)
        try values.encode(settingsChanged, forKey: .settingsChanged)
        try values.encode(ports, forKey: .ports)
        try values.encode(domain, forKey: .domain)
        try values.encode(url, forKey: .url)
        try values.encode(version, forKey: .version)
        try values.encode(versions, forKey: .versions)
    }

    /// Where `snikket up` is in its story.
    public enum Phase: String, Codable, Sendable, CaseIterable {
        case starting, running, stopping
    }

    /// One server.
    public struct ServiceReport: Codable, Sendable, Equatable {
        /// Every state that there is.
        public static let states = ["stopped", "starting", "ready", "unhealthy", "reloading", "stopping", "backing-off", "failed"]

        public var name: String
        /// `stopped`, `starting`, `ready`, `unhealthy`, `reloading`, `stopping`, `backing-off` or `failed`.
        public var state: String
        public var pid: Int32?
        /// When it came into this state, RFC 3339.
        public var since: String
        public var restarts: Int
        /// Proportional set size of the server and its children, in bytes; nil when it does not run.
        public var memoryBytes: Int?
        public var lastProblem: String?
        /// When that was, RFC 3339.
        public var lastProblemAt: String?

        // Every member is there, null when there is nothing to say: scripts need not look for it.
        public func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(name, forKey: .name)
            try values.encode(state, forKey: .state)
            try values.encode(pid, forKey: .pid)
            try values.encode(since, forKey: .since)
            try values.encode(restarts, forKey: .restarts)
            try values.encode(memoryBytes, forKey: .memoryBytes)
            try values.encode(lastProblem, forKey: .lastProblem)
            try values.encode(lastProblemAt, forKey: .lastProblemAt)
        }
    }

    /// The certificate, and which one each port really serves.
    public struct CertificateReport: Codable, Sendable, Equatable {
        public var names: [String]
        public var issuer: String?
        /// Lower-case hexadecimal.
        public var serial: String?
        /// RFC 3339.
        public var notBefore: String?
        /// RFC 3339.
        public var notAfter: String?
        /// When it is tried next to get a new one, RFC 3339.
        public var nextAttempt: String?
        /// When it was tried last, RFC 3339.
        public var lastAttempt: String?
        /// How many attempts failed since the last that did not.
        public var failures: Int
        public var lastError: ProblemReport?
        /// Where the certificate was had: an ACME directory, `files` or `internal`.
        public var origin: String?
        /// When its authority wants it to be renewed (RFC 9773), as far as it said so.
        public var renewalWindow: WindowReport?
        /// What is being done, or was done last, since the appliance was started.
        public var work: WorkReport?
        /// The serial that each port serves.
        public var served: [String: String]

        public func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(names, forKey: .names)
            try values.encode(issuer, forKey: .issuer)
            try values.encode(serial, forKey: .serial)
            try values.encode(notBefore, forKey: .notBefore)
            try values.encode(notAfter, forKey: .notAfter)
            try values.encode(nextAttempt, forKey: .nextAttempt)
            try values.encode(lastAttempt, forKey: .lastAttempt)
            try values.encode(failures, forKey: .failures)
            try values.encode(lastError, forKey: .lastError)
            try values.encode(origin, forKey: .origin)
            try values.encode(renewalWindow, forKey: .renewalWindow)
            try values.encode(work, forKey: .work)
            try values.encode(served, forKey: .served)
        }
    }

    /// Room on a file system.
    public struct DiskReport: Codable, Sendable, Equatable {
        /// What is left for others than root.
        public var freeBytes: Int
        public var totalBytes: Int
        /// A folder on it.
        public var path: String
    }

    /// Something that is wrong, as long as it is.
    public struct MatterReport: Codable, Sendable, Equatable {
        /// A name for it that stays the same: `disk`, `clock`.
        public var matter: String
        public var problem: ProblemReport

        public init(matter: String, problem: ProblemReport) {
            self.matter = matter
            self.problem = problem
        }

        // One object: the matter beside the three parts.
        public init(from decoder: any Decoder) throws {
            matter = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .matter)
            problem = try ProblemReport(from: decoder)
        }

        public func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(matter, forKey: .matter)
            try problem.encode(to: encoder)
        }

        private enum CodingKeys: CodingKey { case matter }
    }

    /// What the administrators are told of.
    public struct TellingReport: Codable, Sendable, Equatable {
        /// What they have been told of and is not over yet.
        public var matters: [String]
        /// How many messages could not be delivered yet.
        public var undelivered: Int
    }

    /// A newer release of snikket.
    public struct ReleaseReport: Codable, Sendable, Equatable {
        public var version: String
        /// Whether it mends a security problem of what is installed.
        public var security: Bool
        /// Whether it comes by itself, and waits until everything serves.
        public var held: Bool
    }

    /// A span of time.
    public struct WindowReport: Codable, Sendable, Equatable {
        /// RFC 3339.
        public var start: String
        /// RFC 3339.
        public var end: String
        /// A page that says why.
        public var explanation: String?

        public func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(start, forKey: .start)
            try values.encode(end, forKey: .end)
            try values.encode(explanation, forKey: .explanation)
        }
    }

    /// An attempt to get or to revoke a certificate.
    public struct WorkReport: Codable, Sendable, Equatable {
        /// Counts up from 1 since the appliance was started.
        public var number: Int
        /// The step that it has come to.
        public var step: String
        public var done: Bool
        /// Why it failed; null when it did not.
        public var error: ProblemReport?

        public func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(number, forKey: .number)
            try values.encode(step, forKey: .step)
            try values.encode(done, forKey: .done)
            try values.encode(error, forKey: .error)
        }
    }

    /// A problem in three parts.
    public struct ProblemReport: Codable, Sendable, Equatable {
        public var error: String
        public var cause: String?
        public var tryThis: String?

        public init(error: String, cause: String? = nil, tryThis: String? = nil) {
            self.error = error
            self.cause = cause
            self.tryThis = tryThis
        }

        public func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(error, forKey: .error)
            try values.encode(cause, forKey: .cause)
            try values.encode(tryThis, forKey: .tryThis)
        }

        enum CodingKeys: String, CodingKey {
            case error, cause
            case tryThis = "try"
        }
    }
}

extension StatusReport {
    /// JSON with the members in alphabetical order and snake_case names.
    public func json(pretty: Bool = false) throws -> [UInt8] { try reported(self, pretty) }

    /// Reads what ``json(pretty:)`` wrote.
    public init(json: [UInt8]) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(StatusReport.self, from: Data(json))
    }
}

extension StatusReport.CertificateReport {
    /// JSON, as in the whole report.
    public func json(pretty: Bool = false) throws -> [UInt8] { try reported(self, pretty) }
}

private func reported(_ value: some Encodable, _ isPretty: Bool) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = isPretty ? [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted] : [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(value))
}
