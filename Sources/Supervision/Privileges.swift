import CLinux
import DurableFiles
import Glibc

/// What a server's process may do, and how it is tied to ours (capabilities(7), prctl(2), getrlimit(2)).
public struct Privileges: Equatable, Sendable {
    /// CAP_SETPCAP, without which the bounding set cannot be made smaller.
    private static let setPCapability: UInt64 = 1 << 8

    /// Who it becomes; nil: it stays who we are.
    var account: Account?
    /// What it may do beyond its account, a bit each; nil: whatever we may.
    var capabilities: UInt64?
    /// Whether nothing that it starts may have more either.
    var dropsBounding = false
    /// What it is told when we die.
    var parentDeathSignal = ServiceSignal.kill
    var limits: [ResourceLimits.Limit] = []

    /// For a process of this specification.
    ///
    /// - Parameters:
    ///   - isRoot: whether we may change users at all.
    ///   - effective: the capabilities that we have.
    init(for specification: ServiceSpecification, isRoot: Bool = geteuid() == 0, effective: UInt64 = ProcessTable.effectiveCapabilities()) {
        parentDeathSignal = specification.parentDeathSignal
        limits = specification.limits.clamped(ownUser: isRoot && specification.account != nil)
        guard isRoot, specification.account != nil || !specification.capabilities.isEmpty else { return }
        account = specification.account
        capabilities = Self.bits(specification.capabilities.map(\.rawValue))
        dropsBounding = effective & Self.setPCapability != 0
    }

    private init(own capabilities: UInt64) {
        self.capabilities = capabilities
        dropsBounding = true
    }

    private static func bits(_ numbers: [UInt64]) -> UInt64 { numbers.reduce(0) { $0 | 1 << $1 } }

    /// The C library's form of a program with these rights, for as long as the body runs.
    ///
    /// - Parameters:
    ///   - environment: `NAME=VALUE`; nil: ours.
    ///   - descriptors: what it has open, its standard input, output and error first.
    ///   - staysInSession: whether it can ask on our terminal.
    func withProgram<Result>(
        _ path: String, arguments: [String], environment: [String]?, folder: String? = nil, descriptors: [Int32] = [0, 1, 2],
        staysInSession: Bool = false, _ body: (UnsafePointer<snikket_program>) -> Result
    ) -> Result {
        let arguments = CStrings([path] + arguments)
        let environment = environment.map(CStrings.init)
        let folder = folder.map { CStrings([$0]) }
        let limits = limits.map { snikket_limit(resource: $0.resource, value: $0.value) }
        return limits.withUnsafeBufferPointer { limits in
            descriptors.withUnsafeBufferPointer { descriptors in
                var program = snikket_program()
                program.path = UnsafePointer(arguments.first)
                program.arguments = arguments.pointers
                program.environment = environment?.pointers
                program.folder = UnsafePointer(folder?.first)
                (program.descriptors, program.descriptor_count) = (descriptors.baseAddress, Int32(descriptors.count))
                program.stays_in_session = staysInSession ? 1 : 0
                if let account { (program.changes_user, program.user, program.group) = (1, account.user, account.group) }
                if let capabilities { (program.capabilities, program.clears_ambient) = (capabilities, account == nil ? 1 : 0) }
                program.drops_bounding = dropsBounding ? 1 : 0
                (program.limits, program.limit_count) = (limits.baseAddress, Int32(limits.count))
                (program.parent, program.parent_death_signal) = (getpid(), parentDeathSignal.rawValue)
                return withExtendedLifetime((arguments, environment, folder)) { body(&program) }
            }
        }
    }

    /// Texts as C has them, an array that ends with NULL; gone with this.
    private final class CStrings {
        private let array: UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>

        init(_ strings: [String]) {
            array = .allocate(capacity: strings.count + 1)
            _ = array.initialize(from: strings.map { strdup($0) } + [nil])
        }

        deinit {
            for string in array { free(string) }
            array.deallocate()
        }

        var first: UnsafeMutablePointer<CChar>? { array[0] }
        var pointers: UnsafePointer<UnsafeMutablePointer<CChar>?>? { UnsafePointer(array.baseAddress) }
    }
}

// MARK: - Our own

extension Privileges {
    /// What root keeps to run others' programs, with the kernel's numbers (capabilities(7)): it gives files to servers, ends them, becomes their users,
    /// drops what they shall not have, and hands nginx the ports below 1024.
    static let kept: [(name: String, number: UInt64)] = [
        ("chown", 0), ("kill", 5), ("setgid", 6), ("setuid", 7), ("setpcap", 8), ("net_bind_service", 10),
    ]

    /// As root, gives up for good every capability that supervision does not need. To be called first of all: the program is begun anew, with the same
    /// arguments, because each thread has capabilities of its own. Does nothing when they are gone already, as under systemd, or when root cannot give any up.
    public static func keepOnlyNeeded() {
        let bits = bits(kept.map(\.number))
        guard geteuid() == 0, ProcessTable.effectiveCapabilities() & setPCapability != 0 else { return }
        guard let bounding = ProcessTable.ownStatus("CapBnd") else { return }
        guard bounding & ~bits != 0 || ProcessTable.ownStatus("NoNewPrivs") == 0, let path = realpath("/proc/self/exe", nil) else { return }
        defer { free(path) }
        // Only returns when it could not be done: then everything works as well, with more than it needs.
        _ = Privileges(own: bits).withProgram(String(cString: path), arguments: Array(CommandLine.arguments.dropFirst()), environment: nil) {
            snikket_become($0)
        }
    }
}
