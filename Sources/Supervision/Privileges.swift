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
        guard isRoot else { return options }
        if specification.account == nil, specification.capabilities.isEmpty { return options }
        if let account = specification.account {
            options += ["--reuid", String(account.user), "--regid", String(account.group), "--clear-groups"]
        }
        let capabilities = list(specification.capabilities.map(\.rawValue))
        // A program that root starts as itself has what is in the bounding set; another user's what is in the ambient one.
        let ambient = specification.account == nil ? "-all" : capabilities
        options += ["--inh-caps", ambient, "--ambient-caps", ambient]
        if effective & setPCapability != 0 { options += ["--bounding-set", capabilities] }
        return options
    }

    private static func list(_ capabilities: [String]) -> String { (["-all"] + capabilities.map { "+\($0)" }).joined(separator: ",") }

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

    // MARK: - Our own

    /// What root keeps to run others' programs, with the kernel's numbers (capabilities(7)): it gives files to servers, ends them, becomes their users,
    /// drops what they shall not have, and hands nginx the ports below 1024.
    static let kept: [(name: String, number: UInt64)] = [
        ("chown", 0), ("kill", 5), ("setgid", 6), ("setuid", 7), ("setpcap", 8), ("net_bind_service", 10),
    ]

    /// As root, gives up for good every capability that supervision does not need. To be called first of all: the program is begun anew, with the same
    /// arguments, because each thread has capabilities of its own. Does nothing when they are gone already, as under systemd, or when root cannot give any up.
    public static func keepOnlyNeeded() {
        let bits = kept.reduce(0 as UInt64) { $0 | 1 << $1.number }
        guard geteuid() == 0, ProcessTable.effectiveCapabilities() & setPCapability != 0 else { return }
        guard let bounding = ProcessTable.ownStatus("CapBnd") else { return }
        guard bounding & ~bits != 0 || ProcessTable.ownStatus("NoNewPrivs") == 0, let path = realpath("/proc/self/exe", nil) else { return }
        defer { free(path) }
        let present = kept.filter { bounding & 1 << $0.number != 0 }.map(\.name)
        let arguments =
            [program, "--no-new-privs", "--inh-caps", "-all", "--ambient-caps", "-all", "--bounding-set", list(present), "--", String(cString: path)]
            + CommandLine.arguments.dropFirst()
        let copies = arguments.map { strdup($0) } + [nil]
        // Only returns when it could not be done: then everything works as well, with more than it needs.
        execv(program, copies)
        for copy in copies { free(copy) }
    }
}
