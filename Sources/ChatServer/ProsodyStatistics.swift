/// A group of numbers of the same meaning that Prosody keeps (OpenMetrics: a metric family). Nothing in it is checked: names, labels and values are as
/// its modules made them.
public struct ChatStatistics: Sendable, Equatable, Decodable {
    public var name: String
    /// `gauge`, `counter`, `histogram`...
    public var kind: String
    public var unit: String?
    public var help: String?
    /// The names of the labels, in the order of the samples' values.
    public var labels: [String]?
    public var samples: [Sample]

    /// One number.
    public struct Sample: Sendable, Equatable, Decodable {
        public var value: Double
        public var labels: [String]?
        /// What follows the name: `_total`, `_bucket`...
        public var suffix: String?
        /// A bucket's upper bound.
        public var le: String?
    }
}

extension Prosody {
    /// What Prosody counts: its own, and its modules' when `statistics` is set.
    ///
    /// - Parameter patience: how long it may take. Whoever reads metrics does not wait long.
    public func statistics(within patience: Duration = .seconds(3)) async throws(ChatServerError) -> [ChatStatistics] {
        try await get("/statistics", within: patience, gives: Statistics.self).families
    }

    private struct Statistics: Decodable {
        var families: [ChatStatistics]
    }
}
