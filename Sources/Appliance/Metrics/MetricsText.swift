/// Metric families as text: OpenMetrics 1.0 (prometheus.io/docs/specs/om/open_metrics_spec), or the older form of Prometheus (text format 0.0.4), which
/// has no units and other names for some.
///
/// What cannot be written in it is left out, so that the rest can be read: whatever names and values come, the text is well-formed. Of two families whose
/// samples would have the same names, the first is written; of two samples with the same labels, too.
struct MetricsText {
    /// How it is written.
    enum Form: Sendable {
        case openMetrics, plain

        /// What the client prefers (RFC 9110 section 12.5.1), as far as there is a choice here.
        init(accepting field: String?) {
            let field = field?.lowercased() ?? ""
            self = field.contains("text/plain") && !field.contains("application/openmetrics-text") ? .plain : .openMetrics
        }

        var contentType: String {
            switch self {
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            case .plain: "text/plain; version=0.0.4; charset=utf-8"
            }
        }
    }

    /// More than a scrape ever should be: what would make it longer is left out.
    private static let longest = 1 << 20
    /// The longest value of a label, in characters.
    private static let longestLabel = 200

    private let form: Form
    private var text = ""
    private var taken: Set<String> = []

    init(_ form: Form) { self.form = form }

    init(_ form: Form, _ families: [MetricFamily]) {
        self.init(form)
        for family in families { add(family) }
    }

    /// The whole, with its end.
    var bytes: [UInt8] { Array((text + (form == .openMetrics ? "# EOF\n" : "")).utf8) }

    mutating func add(_ family: MetricFamily) {
        let name = Self.name(family.name, mayHaveColon: true)
        let samples = lines(of: family, name)
        guard !name.isEmpty, !samples.isEmpty else { return }
        let block = head(of: family, name) + samples
        let names = [name] + Self.suffixes(of: family.kind).map { name + $0 }
        guard text.utf8.count + block.utf8.count <= Self.longest, taken.isDisjoint(with: names) else { return }
        taken.formUnion(names)
        text += block
    }

    /// Every suffix that a sample of the kind may have, so that no other family has it.
    private static func suffixes(of kind: MetricFamily.Kind) -> [String] {
        switch kind {
        case .counter: ["_total", "_created"]
        case .histogram: ["_bucket", "_count", "_sum", "_created"]
        case .summary: ["_count", "_sum", "_created"]
        case .info: ["_info"]
        case .gauge, .stateSet, .unknown: []
        }
    }

    private func head(of family: MetricFamily, _ name: String) -> String {
        let help = Self.escaped(family.help.isEmpty ? name : family.help, quotes: form == .openMetrics)
        switch form {
        case .openMetrics:
            let unit = family.unit.map { Self.name($0, mayHaveColon: false) }.flatMap { name.hasSuffix("_" + $0) ? $0 : nil }
            return "# TYPE \(name) \(family.kind.rawValue)\n" + (unit.map { "# UNIT \(name) \($0)\n" } ?? "") + "# HELP \(name) \(help)\n"
        case .plain:
            let (name, kind) =
                switch family.kind {
                case .counter: (name + "_total", "counter")
                case .info: (name + "_info", "gauge")
                case .stateSet: (name, "gauge")
                case .unknown: (name, "untyped")
                case .gauge, .histogram, .summary: (name, family.kind.rawValue)
                }
            return "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
        }
    }

    private func lines(of family: MetricFamily, _ name: String) -> String {
        var seen: Set<String> = []
        var text = ""
        for sample in family.samples {
            let suffix = sample.suffix ?? (family.kind == .counter ? "_total" : family.kind == .info ? "_info" : "")
            // A counter never counts down, and is a number.
            guard suffix.isEmpty || Self.suffixes(of: family.kind).contains(suffix), family.kind != .counter || sample.value >= 0 else { continue }
            let series = name + suffix + Self.labels(sample.labels)
            guard seen.insert(series).inserted else { continue }
            text += "\(series) \(Self.number(sample.value))\n"
        }
        return text
    }

    private static func labels(_ labels: [(name: String, value: String)]) -> String {
        var seen: Set<String> = []
        let texts = labels.compactMap { label -> String? in
            let name = name(label.name, mayHaveColon: false)
            guard !name.isEmpty, seen.insert(name).inserted else { return nil }
            return "\(name)=\"\(escaped(String(label.value.prefix(longestLabel)), quotes: true))\""
        }
        return texts.isEmpty ? "" : "{\(texts.joined(separator: ","))}"
    }

    /// A name of letters, digits and underscores; a slash is two underscores, as Prosody has it, and anything else one.
    private static func name(_ text: String, mayHaveColon: Bool) -> String {
        var name = ""
        for scalar in text.unicodeScalars.prefix(200) {
            switch scalar {
            case "a"..."z", "A"..."Z", "_": name.unicodeScalars.append(scalar)
            case "0"..."9": name += name.isEmpty ? "_\(scalar)" : "\(scalar)"
            case ":" where mayHaveColon: name += ":"
            case "/": name += "__"
            default: name += "_"
            }
        }
        return name
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            // Some readers take it for the end of a line too.
            case "\r": escaped += " "
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        // What is whole is written so, as long as it is exact.
        if value == value.rounded(), abs(value) < 9e15 { return "\(Int(value))" }
        return "\(value)"
    }
}
