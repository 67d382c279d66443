/// Why something about versions could not be done.
public enum LifecycleError: Error, Sendable, Equatable {
    /// The package manager could not be asked: what it printed last, or what the system said.
    case packageManager(String)
    /// The package manager did not answer within so many seconds.
    case packageManagerTimedOut(seconds: Int)
}
