public import DurableFiles
import Glibc
import Subprocess
import Supervision
import SystemPackage

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
        let lines = try await ask(
            ["--simulate", "--quiet=2", "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=", "dist-upgrade"], deadline)
        return lines.compactMap { PendingUpgrade(simulated: $0) }
    }

    private func ask(_ arguments: [String], _ deadline: Duration) async throws(LifecycleError) -> [Substring] {
        do {
            return try await withThrowingTaskGroup(of: [Substring]?.self) { group in
                group.addTask { try await self.output(of: arguments) }
                group.addTask {
                    try await Task.sleep(for: deadline)
                    return nil
                }
                defer { group.cancelAll() }
                guard let lines = try await group.next() ?? nil else {
                    throw LifecycleError.packageManagerTimedOut(seconds: Int(deadline.components.seconds))
                }
                return lines
            }
        } catch let error as LifecycleError {
            throw error
        } catch {
            throw .packageManager("\(error)")
        }
    }

    @concurrent
    private func output(of arguments: [String]) async throws -> [Substring] {
        var specification = ServiceSpecification(name: "apt-get", executable: Self.program, arguments: arguments)
        specification.account = account
        let result = try await Subprocess.run(
            .path(FilePath(Privileges.program)), arguments: Arguments(Privileges.arguments(for: specification)),
            environment: .custom(Dictionary(uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) })),
            output: .string(limit: 4 << 20), error: .string(limit: 64 << 10))
        guard result.terminationStatus.isSuccess else {
            throw LifecycleError.packageManager(
                result.standardError.split(separator: "\n").last { $0.hasPrefix("E:") }.map(String.init) ?? "\(result.terminationStatus)")
        }
        return result.standardOutput.split(separator: "\n")
    }
}
