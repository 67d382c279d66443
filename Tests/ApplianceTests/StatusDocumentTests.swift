import FoundationEssentials
import Supervision
import SystemPackage
import Testing

@testable import Appliance

@Suite("docs/status.md")
struct StatusDocumentTests {
    /// The first cells of the tables' rows, in backticks.
    private static let documented: [String] = {
        let checkout = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
        let page = (try? Data(contentsOf: URL(filePath: checkout.appending("docs/status.md").string))) ?? Data()
        return String(decoding: page, as: UTF8.self).split(separator: "\n").filter { $0.hasPrefix("| `") }
            .map { String($0.dropFirst(3).prefix { $0 != "`" }) }
    }()
    private static let states = Array(documented.suffix(StatusReport.ServiceReport.states.count))
    private static let members = Set(documented.dropLast(states.count))

    @Test("names every member of a report that has everything, and no other")
    func members() throws {
        var report = StatusReportTests.full
        report.certificate?.work?.error = .init(error: "e", cause: "c", tryThis: "t")
        let json = try JSONDecoder().decode(JSON.self, from: Data(try report.json()))
        #expect(json.members().subtracting(Self.open).sorted() == Self.members.sorted())
    }

    /// What every problem has is said once, for `problems[]`.
    private static let open = Set(
        ["certificate.last_error", "certificate.work.error"].flatMap { problem in ["error", "cause", "try"].map { "\(problem).\($0)" } })

    @Test("says of each type what it is")
    func types() throws {
        let json = try JSONDecoder().decode(JSON.self, from: Data(try StatusReportTests.full.json()))
        let checkout = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
        let page = String(decoding: try Data(contentsOf: URL(filePath: checkout.appending("docs/status.md").string)), as: UTF8.self)
        for row in page.split(separator: "\n") where row.hasPrefix("| `") {
            let cells = row.split(separator: "|").map { $0.trimmingBlanks }
            let path = cells[0].dropFirst().dropLast()
            guard cells.count == 3, Self.members.contains(String(path)), let value = json.value(at: path) else { continue }
            #expect(cells[1].contains(value.kind) || (value.kind == "object" && cells[1].hasPrefix("problem")), "\(path) is \(value.kind)")
        }
    }

    @Test("names every state of a server, and the code has no other")
    func states() {
        let moment = Timestamp(milliseconds: 0)
        let all: [ServiceState] = [
            .stopped, .starting, .ready, .unhealthy, .reloading, .stopping, .backingOff(until: moment), .failed(until: moment),
        ]
        // A state that is added here has to be added there.
        for state in all {
            switch state {
            case .stopped, .starting, .ready, .unhealthy, .reloading, .stopping, .backingOff, .failed: continue
            }
        }
        #expect(all.map(\.name) == StatusReport.ServiceReport.states)
        #expect(Self.states == StatusReport.ServiceReport.states)
    }
}

extension Substring {
    fileprivate var trimmingBlanks: Substring {
        var rest = self
        while rest.first == " " { rest.removeFirst() }
        while rest.last == " " { rest.removeLast() }
        return rest
    }
}
