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
        ([headline, ""] + services + [""] + facts + problems).joined(separator: "\n")
    }

    private var headline: String {
        let word =
            switch report.phase {
            case .starting: Colour.yellow.paint("starting", if: colour)
            case .stopping: Colour.yellow.paint("stopping", if: colour)
            case .running where report.healthy: Colour.green.paint("healthy", if: colour)
            case .running: Colour.red.paint("not healthy", if: colour)
            }
        let line = "\(Colour.bold.paint(report.domain, if: colour)) is \(word)   \(report.url)"
        return line + (report.settingsChanged ? "\nthe settings have changed; " + whatThen : "")
    }

    /// What happens to settings that have changed. A container has one server at most, and takes them over without being told.
    private var whatThen: String {
        guard report.services.count < 2 else { return "`snikket reload` puts them into force" }
        return report.problems.contains { $0.matter == StatusReport.settings } ? "they are not in force" : "they are taken over in a moment"
    }

    // MARK: - The servers

    private var services: [String] {
        let total = report.services.compactMap(\.memoryBytes).reduce(0, +)
        var rows = [["SERVICE", "STATE", "SINCE", "RESTARTS", "MEMORY", "LAST PROBLEM"]]
        rows += report.services.map { service in
            [
                service.name, service.state, Elapsed.text(since: service.since, now: now), "\(service.restarts)",
                service.memoryBytes.map(Size.megabytes) ?? "-", lastProblem(of: service),
            ]
        }
        rows.append(["together", "", "", "", Size.megabytes(total), ""])
        return aligned(rows).enumerated().map { index, line in
            switch index {
            case 0, rows.count - 1: Colour.dim.paint(line, if: colour)
            case let service where report.services[service - 1].state == "ready": line
            default: Colour.red.paint(line, if: colour)
            }
        }
    }

    /// `3 h ago: ended by signal 9`: of servers that are well again too. One that is not well is told of in full below.
    private func lastProblem(of service: StatusReport.ServiceReport) -> String {
        guard let problem = service.lastProblem else { return "none" }
        let moment = service.lastProblemAt.map { Elapsed.text(since: $0, now: now) + " ago: " } ?? ""
        return moment + Self.shown(problem, limit: 60)
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

    // MARK: - Everything else

    private var facts: [String] {
        certificate
            + disk
            + [
                "versions      "
                    + (["snikket \(report.version)"] + report.versions.sorted { $0.key < $1.key }.map { "\($0.key) \(Self.shown($0.value))" }).joined(
                        separator: ", ")
            ]
            + release + telling
    }

    private var release: [String] {
        guard let release = report.release else { return [] }
        let line =
            "new release   snikket \(Self.shown(release.version))\(release.security ? ", for security" : ""): "
            + (release.held ? "it comes by itself once everything serves" : "sudo snikket upgrade")
        return [release.security ? Colour.yellow.paint(line, if: colour) : line]
    }

    private var certificate: [String] {
        guard let certificate = report.certificate else { return ["certificate   none yet"] }
        guard let issuer = certificate.issuer, let end = certificate.notAfter else {
            return ["certificate   none yet, for \(certificate.names.joined(separator: ", "))"] + nextAttempt(certificate)
        }
        var lines = [
            "certificate   \(certificate.names.joined(separator: ", "))",
            "              by \(Self.shown(issuer)), until \(end.prefix(10)) (\(daysLeft(end)))",
        ]
        let (good, stale) = (
            certificate.served.filter { $0.value == certificate.serial }, certificate.served.filter { $0.value != certificate.serial }
        )
        if !good.isEmpty { lines.append("              served by \(good.keys.sorted().joined(separator: ", "))") }
        if !stale.isEmpty {
            lines.append(Colour.red.paint("              another one is served by \(stale.keys.sorted().joined(separator: ", "))", if: colour))
        }
        return lines + nextAttempt(certificate)
    }

    private func nextAttempt(_ certificate: StatusReport.CertificateReport) -> [String] {
        if let work = certificate.work, !work.done { return ["              being got: \(Self.shown(work.step))"] }
        return certificate.nextAttempt.map { ["              next attempt \($0)"] } ?? []
    }

    private var disk: [String] {
        guard let disk = report.disk else { return [] }
        return ["disk          \(Size.text(disk.freeBytes)) of \(Size.text(disk.totalBytes)) free, for \(disk.path)"]
    }

    /// What the administrators are being told of.
    private var telling: [String] {
        var parts: [String] = []
        if !report.telling.matters.isEmpty { parts.append("of " + report.telling.matters.map { Self.shown($0) }.joined(separator: ", ")) }
        if report.telling.undelivered > 0 { parts.append("\(report.telling.undelivered) not delivered yet") }
        return parts.isEmpty ? [] : [Colour.yellow.paint("admins told   " + parts.joined(separator: "; "), if: colour)]
    }

    private var problems: [String] {
        var lines: [String] = []
        for problem in report.problems { lines += told(problem.matter, problem.problem) }
        if let problem = report.certificate?.lastError { lines += told("certificate", problem) }
        for service in report.services where service.state != "ready" && service.state != "starting" {
            guard let problem = service.lastProblem else { continue }
            lines += told(service.name, .init(error: problem, tryThis: "snikket logs \(service.name)"))
        }
        return lines
    }

    private func told(_ what: String, _ problem: StatusReport.ProblemReport) -> [String] {
        var lines = ["", Colour.red.paint("\(Self.shown(what)): \(Self.shown(problem.error))", if: colour)]
        if let cause = problem.cause { lines.append("  cause: \(Self.shown(cause))") }
        if let tryThis = problem.tryThis { lines.append("  try:   \(Self.shown(tryThis))") }
        return lines
    }

    /// What servers and authorities say, without anything that steers a terminal.
    private static func shown(_ text: String, limit: Int = 2_000) -> String { text.quotedForTerminal(limit: limit, quotes: false) }

    private func daysLeft(_ end: String) -> String {
        guard let end = RFC3339.seconds(end) else { return "?" }
        let days = (end - now) / 86_400
        return end < now ? "ended" : days == 1 ? "1 day left" : "\(days) days left"
    }
}

/// How long ago, in a word or two.
enum Elapsed {
    /// - Parameters:
    ///   - moment: RFC 3339.
    ///   - now: seconds since 1970.
    static func text(since moment: String, now: Int) -> String {
        guard let then = RFC3339.seconds(moment) else { return "-" }
        let seconds = max(0, now - then)
        return switch seconds {
        case ..<60: "\(seconds) s"
        case ..<3_600: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3_600) h"
        default: "\(seconds / 86_400) days"
        }
    }
}

/// Sizes as people say them.
enum Size {
    static func megabytes(_ bytes: Int) -> String { tenths(bytes, 1 << 20) + " MB" }

    /// Of a disk.
    static func text(_ bytes: Int) -> String { bytes >= 1 << 30 ? tenths(bytes, 1 << 30) + " GB" : megabytes(bytes) }

    private static func tenths(_ bytes: Int, _ unit: Int) -> String {
        let whole = bytes / unit
        let tenth = (bytes % unit * 10 + unit / 2) / unit
        return tenth == 10 ? "\(whole + 1).0" : "\(whole).\(tenth)"
    }
}
