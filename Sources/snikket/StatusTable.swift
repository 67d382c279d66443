import Appliance

/// `snikket status` for people.
struct StatusTable {
    private let report: StatusReport
    private let now: Int
    private let colour: Bool

    /// - Parameter now: seconds since 1970.
    init(_ report: StatusReport, now: Int, colour: Bool) {
        self.report = report
        self.now = now
        self.colour = colour
    }

    var text: String {
        ([headline, ""] + services + [""] + certificate + problems).joined(separator: "\n")
    }

    private var headline: String {
        let word =
            switch report.phase {
            case .starting: Colour.yellow.paint("starting", if: colour)
            case .stopping: Colour.yellow.paint("stopping", if: colour)
            case .running where report.healthy: Colour.green.paint("healthy", if: colour)
            case .running: Colour.red.paint("not healthy", if: colour)
            }
        let line = "\(Colour.bold.paint(report.domain, if: colour)) is \(word)   \(report.url)   snikket \(report.version)"
        return line + (report.settingsChanged ? "\nthe settings have changed; `snikket reload` puts them into force" : "")
    }

    private var services: [String] {
        let total = report.services.compactMap(\.memoryBytes).reduce(0, +)
        var rows = [["SERVICE", "STATE", "SINCE", "RESTARTS", "MEMORY", "PID"]]
        rows += report.services.map { service in
            [
                service.name, service.state, elapsed(since: service.since), "\(service.restarts)",
                service.memoryBytes.map(megabytes) ?? "-", service.pid.map { "\($0)" } ?? "-",
            ]
        }
        rows.append(["together", "", "", "", megabytes(total), ""])
        return aligned(rows).enumerated().map { index, line in
            switch index {
            case 0, rows.count - 1: Colour.dim.paint(line, if: colour)
            case let service where report.services[service - 1].state == "ready": line
            default: Colour.red.paint(line, if: colour)
            }
        }
    }

    private var certificate: [String] {
        guard let certificate = report.certificate else { return ["certificate   none yet"] }
        var lines = ["certificate   \(certificate.names.joined(separator: ", "))"]
        if let issuer = certificate.issuer, let end = certificate.notAfter {
            lines.append("              by \(issuer), until \(end.prefix(10)) (\(daysLeft(end)))")
        }
        let stale = certificate.served.filter { $0.value != certificate.serial }.keys.sorted()
        if !stale.isEmpty {
            lines.append(Colour.red.paint("              another one is served by: \(stale.joined(separator: ", "))", if: colour))
        }
        if let next = certificate.nextAttempt { lines.append("              next attempt \(next)") }
        return lines
    }

    private var problems: [String] {
        var lines: [String] = []
        if let problem = report.certificate?.lastError {
            lines += ["", Colour.red.paint("certificate: \(problem.error)", if: colour)]
            if let cause = problem.cause { lines.append("  cause: \(cause)") }
            if let tryThis = problem.tryThis { lines.append("  try:   \(tryThis)") }
        }
        for service in report.services where service.state != "ready" {
            guard let problem = service.lastProblem else { continue }
            lines += ["", Colour.red.paint("\(service.name): \(problem)", if: colour), "  try:   snikket logs \(service.name)"]
        }
        return lines
    }

    private func megabytes(_ bytes: Int) -> String {
        let tenths = (bytes * 10 + 524_288) / 1_048_576
        return "\(tenths / 10).\(tenths % 10) MB"
    }

    private func elapsed(since time: String) -> String {
        guard let then = RFC3339.seconds(time) else { return "-" }
        let seconds = max(0, now - then)
        return switch seconds {
        case ..<60: "\(seconds) s"
        case ..<3_600: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3_600) h"
        default: "\(seconds / 86_400) days"
        }
    }

    private func daysLeft(_ end: String) -> String {
        guard let end = RFC3339.seconds(end) else { return "?" }
        let days = (end - now) / 86_400
        return end < now ? "ended" : days == 1 ? "1 day left" : "\(days) days left"
    }

    private func aligned(_ rows: [[String]]) -> [String] {
        let widths = (0..<(rows.first?.count ?? 0)).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (cell, width) in zip(row, widths) { line += cell + String(repeating: " ", count: width - cell.count + 2) }
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}
