import Glibc

/// How much of the machine a server's process may use (getrlimit(2)). No limit is higher than ours, whatever is said here.
public struct ResourceLimits: Sendable {
    /// Files and connections at once, of each process; nil: as many as we.
    public var openFiles: Int?
    /// Processes and threads of its user, when that is its own: everything that the user runs counts. nil: as many as we.
    public var processes: Int?
    /// Bytes of address space, of each process; nil: as many as we.
    public var addressSpace: Int?
    /// Bytes of a memory dump. None by default: in a server's memory are passwords and keys.
    public var coreDump: Int = 0

    public init(openFiles: Int? = nil, processes: Int? = nil, addressSpace: Int? = nil) {
        self.openFiles = openFiles
        self.processes = processes
        self.addressSpace = addressSpace
    }

    /// A limit as setrlimit(2) takes it.
    struct Limit: Equatable, Sendable {
        var resource: Int32
        var value: UInt64
    }

    /// Those that are set, none above our own.
    ///
    /// - Parameter ownUser: whether the process has a user of its own.
    func clamped(ownUser: Bool) -> [Limit] {
        var limits: [Limit] = []
        func add(_ resource: __rlimit_resource, _ wanted: Int?) {
            var own = rlimit()
            guard let wanted, getrlimit(__rlimit_resource_t(resource.rawValue), &own) == 0 else { return }
            limits.append(Limit(resource: Int32(resource.rawValue), value: min(UInt64(wanted), UInt64(own.rlim_max))))
        }
        add(RLIMIT_CORE, coreDump)
        add(RLIMIT_NOFILE, openFiles)
        if ownUser { add(__RLIMIT_NPROC, processes) }
        add(RLIMIT_AS, addressSpace)
        return limits
    }
}
