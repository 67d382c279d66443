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

    /// As dash's `ulimit` takes them, none above our own.
    ///
    /// - Parameter ownUser: whether the process has a user of its own.
    func clamped(ownUser: Bool) -> [(option: Character, value: Int)] {
        var limits: [(option: Character, value: Int)] = []
        func add(_ option: Character, _ resource: __rlimit_resource, _ wanted: Int?, unit: Int = 1) {
            var own = rlimit()
            guard let wanted, getrlimit(__rlimit_resource_t(resource.rawValue), &own) == 0 else { return }
            limits.append((option, Int(min(rlim_t(wanted), own.rlim_max)) / unit))
        }
        add("c", RLIMIT_CORE, coreDump, unit: 512)
        add("n", RLIMIT_NOFILE, openFiles)
        if ownUser { add("p", __RLIMIT_NPROC, processes) }
        add("v", RLIMIT_AS, addressSpace, unit: 1024)
        return limits
    }
}
