import Appliance

/// `snikket certificate show` for people.
struct CertificateTable {
    private let certificate: StatusReport.CertificateReport
    private let now: Int
    private let colour: Bool

    /// - Parameter now: seconds since 1970.
    init(_ certificate: StatusReport.CertificateReport, now: Int, colour: Bool) {
        self.certificate = certificate
        self.now = now
        self.colour = colour
    }

    var text: String {
        var rows = [["names", certificate.names.joined(separator: ", ")]]
        if let issuer = certificate.issuer, let serial = certificate.serial {
            rows += [["issuer", issuer], ["serial", serial], ["authority", certificate.origin ?? "unknown"]]
        } else {
            rows.append(["certificate", "none that can be used"])
        }
        if let begin = certificate.notBefore { rows.append(["from", moment(begin)]) }
        if let end = certificate.notAfter { rows.append(["until", moment(end) + " (\(remaining(until: end)))"]) }
        if let window = certificate.renewalWindow {
            rows.append(["renewal window", moment(window.start) + " to " + moment(window.end)])
            if let page = window.explanation { rows.append(["", page]) }
        }
        if let last = certificate.lastAttempt {
            let failures = certificate.failures
            rows.append(["last attempt", moment(last) + (failures == 0 ? ", successful" : ", failed (\(failures) in a row)")])
        }
        if let next = certificate.nextAttempt { rows.append(["next attempt", isPast(next) ? "at once" : moment(next)]) }
        return ([painted(textTable(rows)) { $0.hasPrefix("certificate ") }] + served + problem).joined(separator: "\n")
    }

    private var served: [String] {
        guard !certificate.served.isEmpty else { return ["", "no server was looked at: `snikket up` does not run, or has just begun"] }
        let rows = certificate.served.sorted { $0.key < $1.key }.map { port, serial in
            [port, serial, serial == certificate.serial ? "this one" : "another one"]
        }
        return ["", painted(textTable([["PORT", "SERVES", ""]] + rows)) { $0.hasSuffix("another one") }]
    }

    private var problem: [String] {
        guard let problem = certificate.lastError else { return [] }
        return ["", Colour.red.paint("error: \(problem.error)", if: colour)] + (problem.cause.map { ["cause: \($0)"] } ?? [])
            + (problem.tryThis.map { ["try:   \($0)"] } ?? [])
    }

    /// The lines that say something is wrong, in red.
    private func painted(_ table: String, where isBad: (Substring) -> Bool) -> String {
        table.split(separator: "\n", omittingEmptySubsequences: false)
            .map { isBad($0) ? Colour.red.paint(String($0), if: colour) : String($0) }.joined(separator: "\n")
    }

    private func isPast(_ text: String) -> Bool { RFC3339.seconds(text).map { $0 <= now } ?? false }

    private func moment(_ text: String) -> String {
        guard let seconds = RFC3339.seconds(text) else { return text }
        return localTime(seconds)
    }

    private func remaining(until end: String) -> String {
        guard let end = RFC3339.seconds(end) else { return "?" }
        let left = end - now
        return switch left {
        case ...0: "ended"
        case ..<172_800: "\(left / 3_600) hours left"
        default: "\(left / 86_400) days left"
        }
    }
}
