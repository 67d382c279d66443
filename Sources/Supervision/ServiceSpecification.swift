public import DurableFiles

/// How one server is started, watched, reloaded and stopped.
public struct ServiceSpecification: Sendable {
    /// What people call it: `nginx`.
    public var name: String
    /// The program, an absolute path. It has to stay in the foreground.
    public var executable: String
    /// Its arguments, without the program's name.
    public var arguments: [String]
    /// Its whole environment; nothing is inherited.
    public var environment: [String: String]
    /// Where it starts; nil: where we are.
    public var workingDirectory: String?
    /// Who it runs as, when we are root; nil: as we do.
    public var account: Account?
    /// What it may do beyond its account. A program that root runs as itself keeps these and no others; all that we have when there are none.
    public var capabilities: [Capability]
    /// How much of the machine it may use.
    public var limits = ResourceLimits()
    /// How it is stopped in good order.
    public var stopSignal: ServiceSignal
    /// How long that may take before its whole process group is killed.
    public var stopDeadline: Duration
    /// What the kernel tells it when we die. `.kill`, except for a server whose children outlive a killed parent (nginx: `.terminate`).
    public var parentDeathSignal: ServiceSignal
    /// What makes it read its files again; nil when it cannot.
    public var reloadSignal: ServiceSignal?
    /// Asked before it is told to read its files again: how to know that it has. nil: as soon as it serves.
    public var beforeReload: (@Sendable () async throws -> Readiness)?
    /// How to know that it serves; nil: as soon as it runs.
    public var readiness: Readiness?
    /// How to know that it still serves; nil: as long as it runs.
    public var liveness: Liveness?
    /// Files that a process that was killed leaves behind and that keep the next one from starting: removed before each start.
    public var staleFiles: [String] = []
    /// What it listens on: looked at before each start, since some servers go on without a port that another program has.
    public var ports: [WantedPort] = []
    /// When it is started again after a failure.
    public var restart: RestartPolicy

    public init(
        name: String, executable: String, arguments: [String] = [], environment: [String: String] = Self.plainEnvironment,
        workingDirectory: String? = nil, account: Account? = nil, capabilities: [Capability] = [],
        stopSignal: ServiceSignal = .terminate, stopDeadline: Duration = .seconds(10), parentDeathSignal: ServiceSignal = .kill,
        reloadSignal: ServiceSignal? = nil, readiness: Readiness? = nil, liveness: Liveness? = nil, restart: RestartPolicy = .init()
    ) {
        self.name = name
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.account = account
        self.capabilities = capabilities
        self.stopSignal = stopSignal
        self.stopDeadline = stopDeadline
        self.parentDeathSignal = parentDeathSignal
        self.reloadSignal = reloadSignal
        self.readiness = readiness
        self.liveness = liveness
        self.restart = restart
    }

    /// Where programs lie, and UTF-8.
    public static var plainEnvironment: [String: String] {
        ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"]
    }
}

extension ServiceSpecification {
    /// What root may do and others may be allowed to (capabilities(7)), with the kernel's number.
    public enum Capability: UInt64, Sendable {
        /// Listen on ports below 1024.
        case bindService = 10
        /// Become another user, and leave all groups.
        case setUser = 7
        case setGroup = 6
    }

    /// Asked in a tight loop right after the start, and after a reload.
    public struct Readiness: Sendable {
        /// Returns when the server serves; throws why it does not.
        public var check: @Sendable () async throws -> Void
        /// How long one check may take.
        public var checkDeadline: Duration
        /// How long the server may take from its start.
        public var deadline: Duration

        public init(
            checkDeadline: Duration = .seconds(2), deadline: Duration = .seconds(30), check: @escaping @Sendable () async throws -> Void
        ) {
            self.check = check
            self.checkDeadline = checkDeadline
            self.deadline = deadline
        }
    }

    /// Asked again and again while the server is ready.
    public struct Liveness: Sendable {
        /// Returns when the server serves; throws why it does not. Never runs twice at once.
        public var check: @Sendable () async throws -> Void
        /// How long one check may take.
        public var checkDeadline: Duration
        /// The pause after a good answer.
        public var interval: Duration
        /// The pause after a bad one.
        public var retryInterval: Duration
        /// How many bad answers in a row mean that the server hangs.
        public var threshold: Int

        public init(
            interval: Duration = .seconds(10), retryInterval: Duration = .seconds(1), checkDeadline: Duration = .seconds(3),
            threshold: Int = 3, check: @escaping @Sendable () async throws -> Void
        ) {
            self.check = check
            self.checkDeadline = checkDeadline
            self.interval = interval
            self.retryInterval = retryInterval
            self.threshold = threshold
        }
    }
}
