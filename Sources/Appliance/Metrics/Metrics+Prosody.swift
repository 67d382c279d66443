import ChatServer

extension MetricFamily {
    /// One that Prosody keeps; nil when it is of a kind that is not known here, or has the name of a kind in its own, which readers take for a mistake.
    init?(_ statistics: ChatStatistics) {
        guard let kind = Kind(rawValue: statistics.kind) else { return nil }
        let words = statistics.name.split { !$0.isLetter }
        guard !words.contains(where: { Kind(rawValue: String($0)) != nil && $0 != "info" }) else { return nil }
        let names = statistics.labels ?? []
        let isHistogram = kind == .histogram
        let samples = statistics.samples.map { sample in
            var labels = zip(names, sample.labels ?? []).map { (name: $0, value: $1) }
            if isHistogram, let bound = sample.le { labels.append((name: "le", value: Self.bound(bound))) }
            return (Sample(suffix: sample.suffix, labels: labels, value: sample.value), sample.le.map(Self.number))
        }
        self.init(
            statistics.name, kind, unit: statistics.unit, statistics.help ?? "",
            samples: isHistogram ? Self.sorted(samples) : samples.map(\.0))
    }

    /// The samples of one histogram after those of another, its buckets by their bounds: Prosody has them in no order.
    private static func sorted(_ samples: [(sample: Sample, bound: Double?)]) -> [Sample] {
        func group(_ sample: Sample) -> String { sample.labels.filter { $0.name != "le" }.map { "\($0.name)=\($0.value)" }.joined(separator: ",") }
        return samples.map { (group($0.sample), $0.bound ?? .infinity, $0.sample.suffix ?? "", $0.sample) }
            .sorted { ($0.0, $0.1, $0.2) < ($1.0, $1.1, $1.2) }.map(\.3)
    }

    private static func number(_ bound: String) -> Double { bound == "+Inf" ? .infinity : Double(bound) ?? .nan }

    /// OpenMetrics writes bounds as numbers with a point.
    private static func bound(_ text: String) -> String {
        let number = number(text)
        return number.isFinite ? "\(number)" : "+Inf"
    }
}
