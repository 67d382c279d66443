import FoundationEssentials
import Testing

@testable import Appliance

@Suite("the status report")
struct StatusReportTests {
    /// One with nothing in it that can be absent, and one with everything.
    private static let bare = StatusReport(
        healthy: false, phase: .starting,
        services: [.init(name: "nginx", state: "stopped", pid: nil, since: "2026-01-02T03:04:05Z", restarts: 0, memoryBytes: nil, lastProblem: nil)],
        certificate: .init(names: ["a.example"], issuer: nil, serial: nil, notAfter: nil, nextAttempt: nil, failures: 0, lastError: nil, served: [:]),
        settingsChanged: false, ports: ["xmpp_client": 5222], domain: "a.example", url: "https://a.example", version: "1")
    static let full = StatusReport(
        healthy: true, phase: .running,
        services: [
            .init(
                name: "nginx", state: "ready", pid: 7, since: "2026-01-02T03:04:05Z", restarts: 2, memoryBytes: 1_000_000,
                lastProblem: "a \"quote\" \\", lastProblemAt: "2026-01-02T03:04:05Z")
        ],
        certificate: .init(
            names: ["a.example", "groups.a.example"], issuer: "CN=\u{fc}", serial: "0a", notBefore: "2026-02-02T03:04:05Z",
            notAfter: "2026-05-02T03:04:05Z", nextAttempt: "2026-04-02T03:04:05Z", lastAttempt: "2026-04-01T03:04:05Z", failures: 1,
            lastError: .init(error: "e", cause: "c", tryThis: "t"), origin: "https://ca.example/directory",
            renewalWindow: .init(start: "2026-04-01T03:04:05Z", end: "2026-04-03T03:04:05Z", explanation: "https://ca.example/why"),
            work: .init(number: 1, step: "order", done: false, error: nil),
            served: ["xmpp_client": "0a", "turn_tls": "0b"]),
        disk: .init(freeBytes: 1, totalBytes: 2, path: "/var/lib/snikket"),
        problems: [.init(matter: "disk", problem: .init(error: "e", cause: "c", tryThis: "t")), .init(matter: "clock", problem: .init(error: "e"))],
        telling: .init(matters: ["disk"], undelivered: 1), release: .init(version: "2", security: true, held: false),
        settingsChanged: false, ports: ["xmpp_client": 5222, "turn_tls": 5349], domain: "a.example", url: "https://a.example", version: "1")

    @Test("every member is there, in snake_case, and null when there is nothing to say", arguments: [bare, full])
    func members(report: StatusReport) throws {
        let top = try object(try report.json())
        #expect(
            Set(top.keys) == [
                "certificate", "disk", "domain", "healthy", "phase", "ports", "problems", "release", "services", "settings_changed", "telling", "url",
                "version", "versions",
            ])
        guard case .list(let services)? = top["services"], case .object(let service)? = services.first,
            case .object(let certificate)? = top["certificate"]
        else {
            Issue.record("\(top)")
            return
        }
        #expect(Set(service.keys) == ["last_problem", "last_problem_at", "memory_bytes", "name", "pid", "restarts", "since", "state"])
        #expect(
            Set(certificate.keys) == [
                "failures", "issuer", "last_attempt", "last_error", "names", "next_attempt", "not_after", "not_before", "origin", "renewal_window",
                "serial", "served", "work",
            ])
        let isBare = report == Self.bare
        for name in ["last_problem", "last_problem_at", "memory_bytes", "pid"] { #expect((service[name] == .null) == isBare, "\(name)") }
        for name in ["issuer", "last_error", "next_attempt", "not_after", "serial"] { #expect((certificate[name] == .null) == isBare, "\(name)") }
        #expect((top["disk"] == .null) == isBare)
        #expect((top["release"] == .null) == isBare)
        if case .list(let problems)? = top["problems"] {
            #expect(problems.count == report.problems.count)
            for case .object(let problem) in problems { #expect(problem.keys.sorted() == ["cause", "error", "matter", "try"]) }
        }
        if case .object(let problem)? = certificate["last_error"] { #expect(problem.keys.sorted() == ["cause", "error", "try"]) }
    }

    @Test("what was written reads back the same", arguments: [bare, full], [true, false])
    func readsBack(report: StatusReport, pretty: Bool) throws {
        #expect(try StatusReport(json: try report.json(pretty: pretty)) == report)
    }

    @Test("names of ports are left as they are")
    func ports() throws {
        let read = try StatusReport(json: try Self.full.json())
        #expect(read.ports == ["xmpp_client": 5222, "turn_tls": 5349])
        #expect(read.certificate?.served == ["xmpp_client": "0a", "turn_tls": "0b"])
        #expect(String(decoding: try Self.full.json(), as: UTF8.self).contains(#""ports":{"turn_tls":5349,"xmpp_client":5222}"#))
    }

    @Test("what is no report is refused", arguments: ["", "{", "[]", "{}", #"{"healthy":true}"#])
    func noReport(text: String) {
        #expect(throws: (any Error).self) { try StatusReport(json: Array(text.utf8)) }
    }

    @Test(
        "a moment is the same after it was written and read",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (1_767_323_045, "2026-01-02T03:04:05Z"),
            (2_147_483_648, "2038-01-19T03:14:08Z"), (4_102_444_799, "2099-12-31T23:59:59Z"), (-1, "1969-12-31T23:59:59Z"),
        ])
    func moments(seconds: Int, text: String) {
        #expect(RFC3339.text(seconds) == text)
        #expect(RFC3339.seconds(text) == seconds)
    }

    @Test("what is no moment is nil", arguments: ["", "now", "2026-01-02", "2026-13-02T03:04:05Z", "2026-01-02T25:04:05Z", "2026-01-02T03:04"])
    func noMoment(text: String) {
        #expect(RFC3339.seconds(text) == nil)
    }

    private func object(_ json: [UInt8]) throws -> [String: JSON] {
        try JSONDecoder().decode([String: JSON].self, from: Data(json))
    }
}
