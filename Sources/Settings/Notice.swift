/// An option that was set and understood, and does nothing here, or not yet.
public struct Notice: Sendable, Equatable {
    /// The line of the file, from 1; nil when it came from the command line.
    public var line: Int?
    /// The option's name.
    public var option: String
    /// Why it does nothing: a sentence for people, lower case, no full stop.
    public var reason: String

    /// A notice about an option at a line.
    public init(line: Int?, option: String, reason: String) {
        self.line = line
        self.option = option
        self.reason = reason
    }
}
