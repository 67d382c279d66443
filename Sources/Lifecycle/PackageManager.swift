public import DurableFiles
import Glibc
import Supervision
import Synchronization

/// Debian's apt, as far as we ask it. It is only asked: nothing is installed, and the lists that it goes by are those that the
/// machine's own timer fetches.
public struct PackageManager: Sendable {
    private static let program = "/usr/bin/apt-get"

    /// Who asks; nil: whoever we are. No rights are needed.
    private let account: Account?
    private let environment: [String: String]

    /// - Parameter configuration: apt's settings instead of the machine's (apt.conf(5)); nil for the machine's.
    public init(account: Account? = nil, configuration: String? = nil) {
        self.account = account
        environment = ServiceSpecification.plainEnvironment.merging(configuration.map { ["APT_CONFIG": $0] } ?? [:]) { $1 }
    }

    /// Whether this machine has apt.
    public static var isThere: Bool { access(program, X_OK) == 0 }

    /// What apt would upgrade of the packages that everything here depends on.
    ///
    /// - Parameter deadline: apt reads all its lists for it, which takes seconds of processor time.
    public func pendingUpgrades(deadline: Duration = .seconds(120)) async throws(LifecycleError) -> [PendingUpgrade] {
        // Without caches, which only root could write.
        let found = Mutex<(pending: [PendingUpgrade], problem: String?)>(([], nil))
        var specification = ServiceSpecification(
            name: "apt-get", executable: Self.program,
            arguments: ["--simulate", "--quiet=2", "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=", "dist-upgrade"],
            environment: environment)
        specification.account = account
        let end: Errand.End
        do {
            end = try await Errand.run(specification, keepsErrors: true, deadline: deadline) { line in
                found.withLock { found in
                    if line.hasPrefix("E:") { found.problem = line }
                    if let upgrade = PendingUpgrade(simulated: line[...]) { found.pending.append(upgrade) }
                }
            }
        } catch {
            throw .packageManager("\(error)")
        }
        let (pending, problem) = found.withLock { $0 }
        switch end {
        case .exited(status: 0): return pending
        case .exited(let status): throw .packageManager(problem ?? "exit status \(status)")
        case .killed(let signal): throw .packageManager(problem ?? "signal \(signal)")
        case .tooLate: throw .packageManagerTimedOut(seconds: Int(deadline.components.seconds))
        }
    }
}
