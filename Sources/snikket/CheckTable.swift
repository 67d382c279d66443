import Preflight

/// `snikket check` for people.
struct CheckTable {
    private let findings: [Finding]
    private let width: Int?
    private let colour: Bool

    /// - Parameter width: where lines are broken; nil for nowhere.
    init(_ findings: [Finding], width: Int?, colour: Bool) {
        self.findings = findings
        self.width = width
        self.colour = colour
    }

    var text: String {
        let groups = Finding.Group.allCases.map { group in findings.filter { $0.topic.group == group } }
        return (zip(Finding.Group.allCases, groups).flatMap(section) + [verdict]).joined(separator: "\n")
    }

    private func section(_ group: Finding.Group, _ findings: [Finding]) -> [String] {
        guard !findings.isEmpty else { return [] }
        return [Colour.bold.paint(group.rawValue, if: colour)] + findings.flatMap(lines) + [""]
    }

    private func lines(_ finding: Finding) -> [String] {
        let level = finding.level.rawValue
        let mark = finding.level.colour.paint(level, if: colour) + String(repeating: " ", count: 8 - level.count)
        var lines = broken(finding.what, after: 10)
        lines[0] = "  " + mark + lines[0].drop { $0 == " " }
        if let remedy = finding.remedy {
            var more = broken(remedy, after: 15)
            more[0] = "          try: " + more[0].drop { $0 == " " }
            lines += more
        }
        // Never broken: they are to be copied.
        lines += finding.records.map { "               " + Colour.bold.paint($0, if: colour) }
        return lines
    }

    /// Words on lines that fit, each with so many blanks before it.
    private func broken(_ text: String, after margin: Int) -> [String] {
        let blanks = String(repeating: " ", count: margin)
        guard let width, width > margin + 20 else { return [blanks + text] }
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            if !line.isEmpty, margin + line.count + 1 + word.count > width {
                lines.append(blanks + line)
                line = String(word)
            } else {
                line += line.isEmpty ? String(word) : " " + word
            }
        }
        return lines + [blanks + line]
    }

    private var verdict: String {
        let (red, yellow) = (findings.count { $0.level == .red }, findings.count { $0.level == .yellow })
        func things(_ count: Int) -> String { count == 1 ? "one thing" : "\(count) things" }
        let words =
            switch findings.verdict {
            case .green: "everything is as it has to be"
            case .yellow: "nothing is wrong; \(things(yellow)) to look at"
            case .red: "\(things(red)) \(red == 1 ? "is" : "are") wrong" + (yellow > 0 ? ", and \(things(yellow)) to look at" : "")
            }
        return findings.verdict.colour.paint(findings.verdict.rawValue, if: colour) + ": " + words
    }
}

extension Finding.Level {
    fileprivate var colour: Colour {
        switch self {
        case .green: .green
        case .yellow: .yellow
        case .red: .red
        }
    }
}
