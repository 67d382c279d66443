import Appliance
import Preflight

/// `snikket check --json`. Its form is stable (docs/check.md): scripts read it.
struct CheckReport: Encodable {
    /// The worst level of all checks.
    var verdict: String
    var checks: [Check]
    /// What `--reload` did; not there when there was nothing to do.
    var reload: ReloadReport?

    struct Check: Encodable {
        var name: String
        var level: String
        var what: String
        var tryThis: String?
        var records: [String]

        enum CodingKeys: String, CodingKey {
            case name, level, what, records
            case tryThis = "try"
        }

        // Every member is there, null when there is nothing to say.
        func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: CodingKeys.self)
            try values.encode(name, forKey: .name)
            try values.encode(level, forKey: .level)
            try values.encode(what, forKey: .what)
            try values.encode(tryThis, forKey: .tryThis)
            try values.encode(records, forKey: .records)
        }
    }

    init(_ findings: [Finding]) {
        verdict = findings.verdict.rawValue
        checks = findings.map {
            Check(name: $0.topic.rawValue, level: $0.level.rawValue, what: $0.what, tryThis: $0.remedy, records: $0.records)
        }
    }

    /// A line for each problem of the file.
    init(wrongSettings failure: Failure) {
        self.init(
            (failure.cause ?? failure.error).split(separator: "\n").map { Finding(.settings, .red, String($0), try: failure.tryThis) })
    }
}
