import CertificateStore
import FoundationEssentials

/// What is asked on the control socket.
struct ControlRequest: Sendable {
    /// As in HTTP.
    var method: String
    var path: String
    /// JSON, or nothing.
    var body: [UInt8] = []

    /// The body as a value; nil when it is no such JSON.
    func value<Value: Decodable>(_ type: Value.Type) -> Value? { try? JSONDecoder().decode(type, from: Data(body)) }
}

/// What is answered: an HTTP status and a JSON text.
struct ControlAnswer: Sendable {
    var status: Int
    var json: [UInt8]

    init(status: Int, json: [UInt8]) {
        self.status = status
        self.json = json
    }

    init(_ status: Int, _ value: some Encodable) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else {
            self.init(status: 500, json: Array(#"{"error":"the answer cannot be told"}"#.utf8))
            return
        }
        self.init(status: status, json: Array(data))
    }

    /// A refusal, in three parts.
    static func refusal(_ status: Int, _ problem: StatusReport.ProblemReport) -> ControlAnswer { ControlAnswer(status, problem) }
}

/// An attempt that has been asked for: its number in the status report's `certificate.work`.
struct AttemptAnswer: Codable, Sendable {
    var attempt: Int
}

/// `POST /certificate/revoke`.
struct RevocationRequest: Codable, Sendable {
    var reason: RevocationReason
    /// Whether to revoke also when there is no other certificate yet.
    var force: Bool
}
