import DurableFiles
import Glibc

/// What a server's process is allowed, and how it is tied to ours: the arguments of setpriv(1), which becomes dash(1), which becomes the server.
public struct Privileges {
    /// setpriv(1), which comes with util-linux.
    public static let program = "/usr/bin/setpriv"
    /// CAP_SETPCAP, without which the bounding set cannot be made smaller (capabilities(7)).
    private static let setPCapability: UInt64 = 1 << 8

    /// setpriv's options for a specification.
    ///
    /// - Parameters:
    ///   - isRoot: whether we may change users at all.
    ///   - effective: the capabilities that we have.
    static func options(for specification: ServiceSpecification, isRoot: Bool, effective: UInt64) -> [String] {
        var options = ["--no-new-privs", "--pdeathsig", specification.parentDeathSignal.name]
        guard isRoot, let account = specification.account else { return options }
        options += ["--reuid", String(account.user), "--regid", String(account.group), "--clear-groups"]
        let capabilities = (["-all"] + specification.capabilities.map { "+\($0.rawValue)" }).joined(separator: ",")
        options += ["--inh-caps", capabilities, "--ambient-caps", capabilities]
        if effective & setPCapability != 0 { options += ["--bounding-set", capabilities] }
        return options
    }

    /// setpriv's arguments for a specification, for this process: options, shell, and what the shell becomes.
    public static func arguments(for specification: ServiceSpecification) -> [String] {
        let isRoot = geteuid() == 0
        let limits = specification.limits.clamped(ownUser: isRoot && specification.account != nil)
        return options(for: specification, isRoot: isRoot, effective: ProcessTable.effectiveCapabilities())
            + ["--", shell, "-c", script(limits: limits), "sh", String(getpid()), specification.executable] + specification.arguments
    }

    /// Debian's shell, which starts in half a millisecond; in others `ulimit -p` is something else.
    private static let shell = "/bin/dash"

    /// The limits; then the program, but only while we are its parent: of a death before the parent-death signal was set it is not told.
    static func script(limits: [(option: Character, value: Int)]) -> String {
        let limits = limits.map { "ulimit -\($0.option) \($0.value)" }
        return (limits + [#"[ "$PPID" = "$1" ]"#, "shift", #"exec "$@""#]).joined(separator: " && ")
    }
}
