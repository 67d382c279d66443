/// What a liveness check throws of a server that serves, but not all that it should, and that it would not help to start again now.
///
/// The server is shown as unhealthy, and goes on.
public struct ServiceImpaired: Error, Sendable, CustomStringConvertible {
    /// What it does not serve, in words.
    public var description: String

    public init(_ description: String) {
        self.description = description
    }
}
