/// Numbers of the same meaning (OpenMetrics: a metric family).
struct MetricFamily: Sendable {
    /// What the numbers do.
    enum Kind: String, Sendable {
        case gauge, counter, histogram, summary, info, unknown
        case stateSet = "stateset"
    }

    /// One number.
    struct Sample: Sendable {
        /// What follows the family's name: `_total`, `_bucket`...; nil for the kind's own.
        var suffix: String?
        var labels: [(name: String, value: String)]
        var value: Double
    }

    /// Without the suffix of its samples; a unit is its end.
    var name: String
    var kind: Kind
    /// `seconds`, `bytes`; nil: a plain number.
    var unit: String?
    var help: String
    var samples: [Sample] = []

    init(_ name: String, _ kind: Kind, unit: String? = nil, _ help: String, samples: [Sample] = []) {
        (self.name, self.kind, self.unit, self.help, self.samples) = (name, kind, unit, help, samples)
    }

    /// One without labels.
    init(_ name: String, _ kind: Kind, unit: String? = nil, _ help: String, value: Double?) {
        self.init(name, kind, unit: unit, help)
        if let value { add(value) }
    }

    mutating func add(_ value: Double, _ labels: (name: String, value: String)...) {
        samples.append(Sample(labels: labels, value: value))
    }

    /// A sample for each value that it could be, 1 for the one that it is; the label has the family's name.
    mutating func add(state: String, of all: [String], _ labels: (name: String, value: String)...) {
        for each in all { samples.append(Sample(labels: labels + [(name, each)], value: each == state ? 1 : 0)) }
    }
}

extension Bool {
    /// As a metric's value.
    var metric: Double { self ? 1 : 0 }
}
