import DurableFiles
import Glibc

/// What a server's process is allowed, and how it is tied to ours: the arguments of setpriv(1), which then becomes the server.
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

    /// setpriv's options for a specification, for this process. `--`, the program and its arguments follow.
    public static func options(for specification: ServiceSpecification) -> [String] {
        options(for: specification, isRoot: geteuid() == 0, effective: ProcessTable.effectiveCapabilities())
    }
}
