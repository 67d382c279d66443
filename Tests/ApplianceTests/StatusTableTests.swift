import Testing

@testable import Appliance
@testable import snikket

@Suite("the table of the status")
struct StatusTableTests {
    /// 2026-01-02T06:04:05Z
    private static let now = 1_767_333_845

    private func table(_ change: (inout StatusReport) -> Void = { _ in }) -> String {
        var report = StatusReport(
            healthy: true, phase: .running,
            services: [
                .init(
                    name: "nginx", state: "ready", pid: 7, since: "2026-01-02T03:04:05Z", restarts: 1, memoryBytes: 4_194_304,
                    lastProblem: "ended by signal 9: \u{1B}[31mred", lastProblemAt: "2026-01-02T03:04:00Z"),
                .init(name: "portal", state: "ready", pid: 8, since: "2026-01-02T06:04:00Z", restarts: 0, memoryBytes: 8_388_608),
            ],
            certificate: .init(
                names: ["a.example"], issuer: "An authority", serial: "0a", notAfter: "2026-01-12T06:04:05Z", nextAttempt: "2026-01-05T00:00:00Z",
                failures: 0, served: ["https": "0a"]),
            disk: .init(freeBytes: 13_207_024_435, totalBytes: 20_937_965_568, path: "/var/lib/snikket"), settingsChanged: false, ports: [:],
            domain: "a.example", url: "https://a.example", version: "1.2.3", versions: ["prosody": "13.0.1"])
        change(&report)
        return StatusTable(report, now: Self.now, colour: false).text
    }

    @Test("says what, state, since, restarts, memory, last problem, certificate, disk and versions")
    func everything() {
        #expect(
            table() == """
                a.example is healthy   https://a.example

                SERVICE   STATE  SINCE  RESTARTS  MEMORY   LAST PROBLEM
                nginx     ready  3 h    1         4.0 MB   3 h ago: ended by signal 9: \\u{1b}[31mred
                portal    ready  5 s    0         8.0 MB   none
                together                          12.0 MB

                certificate   a.example
                              by An authority, until 2026-01-12 (10 days left)
                              served by https
                              next attempt 2026-01-05T00:00:00Z
                disk          12.3 GB of 19.5 GB free, for /var/lib/snikket
                versions      snikket 1.2.3, prosody 13.0.1
                """)
    }

    @Test(
        "a newer release is named, with whether it is for security and what becomes of it",
        arguments: [
            (StatusReport.ReleaseReport(version: "2.0", security: false, held: false), "new release   snikket 2.0: sudo snikket upgrade"),
            (.init(version: "2.0", security: true, held: true), "new release   snikket 2.0, for security: it comes by itself once everything serves"),
        ])
    func release(release: StatusReport.ReleaseReport, line: String) {
        #expect(table { $0.release = release }.split(separator: "\n").contains(Substring(line)))
    }

    @Test("says what becomes of settings that have changed: in a container nobody has to be told of them")
    func settingsChanged() {
        func line(_ change: (inout StatusReport) -> Void) -> Substring? {
            let text = table { report in
                report.settingsChanged = true
                change(&report)
            }
            return text.split(separator: "\n").dropFirst().first
        }
        #expect(line { _ in } == "the settings have changed; `snikket reload` puts them into force")
        #expect(line { $0.services.removeLast() } == "the settings have changed; they are taken over in a moment")
        #expect(line { $0.services = [] } == "the settings have changed; they are taken over in a moment")
        let refused = line { report in
            report.services.removeLast()
            report.problems = [.init(matter: "settings", problem: .init(error: "nginx does not serve with them"))]
        }
        #expect(refused == "the settings have changed; they are not in force")
    }

    @Test("tells what is wrong in full, and that administrators know")
    func problems() {
        let text = table { report in
            report.healthy = false
            report.services[0].state = "failed"
            report.problems = [.init(matter: "clock", problem: .init(error: "the clock is wrong", cause: "it stood still", tryThis: "set it"))]
            report.telling = .init(matters: ["clock", "service nginx"], undelivered: 2)
            report.certificate?.served["turn_tls"] = "0b"
        }
        for line in [
            "a.example is not healthy   https://a.example", "admins told   of clock, service nginx; 2 not delivered yet",
            "clock: the clock is wrong", "  cause: it stood still", "  try:   set it", "nginx: ended by signal 9: \\u{1b}[31mred",
            "  try:   snikket logs nginx", "              another one is served by turn_tls",
        ] { #expect(text.split(separator: "\n").contains(Substring(line)), "\(line)") }
    }

    @Test("without a certificate it says for which names, and what is being done about it")
    func noCertificate() {
        let text = table { report in
            report.phase = .starting
            report.certificate = .init(
                names: ["a.example"], failures: 0, work: .init(number: 1, step: "validation a.example", done: false), served: [:])
            report.disk = nil
        }
        #expect(text.contains("certificate   none yet, for a.example\n              being got: validation a.example\nversions"))
    }

    @Test(
        "sizes and times are rounded as people round them",
        arguments: [(0, "0.0 MB"), (1_048_575, "1.0 MB"), (1_073_741_824, "1.0 GB"), (1_099_511_627_776, "1024.0 GB")])
    func sizes(bytes: Int, text: String) {
        #expect(Size.text(bytes) == text)
    }
}
