/// What is known of a `snikket up` that runs here.
public struct RunningAppliance: Sendable, Equatable {
    /// The process groups of its servers: their ports are no other program's.
    public var groups: Set<Int32>
    /// Whether it is past its start: every port is served then.
    public var isServing: Bool
    /// Whether the settings' file is another than the one in force.
    public var hasChangedSettings: Bool

    public init(groups: Set<Int32>, isServing: Bool, hasChangedSettings: Bool) {
        self.groups = groups
        self.isServing = isServing
        self.hasChangedSettings = hasChangedSettings
    }
}
