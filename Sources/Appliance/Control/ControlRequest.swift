import CertificateStore
import FoundationEssentials

/// What is asked on the control socket.
struct ControlRequest: Sendable {
    /// As in HTTP.
    var method: String
    var path: String
    /// JSON, or nothing.
    var body: [UInt8] = []
    /// What kind of answer is wanted (RFC 9110 section 12.5.1).
    var accept: String?

    /// The body as a value; nil when it is no such JSON.
    func value<Value: Decodable>(_ type: Value.Type) -> Value? { try? JSONDecoder().decode(type, from: Data(body)) }
}

/// What is answered: an HTTP status and a text, JSON nearly always.
struct ControlAnswer: Sendable {
    var status: Int
    var body: [UInt8]
    var contentType: String

    /// The body, where it is JSON.
    var json: [UInt8] { body }

    init(status: Int, json: [UInt8]) {
        self.init(status: status, body: json, contentType: "application/json")
    }

    init(status: Int, body: [UInt8], contentType: String) {
        (self.status, self.body, self.contentType) = (status, body, contentType)
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
