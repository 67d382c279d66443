/// What `GET /health/NAME` answers: 200 when the part serves, 503 when it does not.
struct HealthAnswer: Codable, Sendable {
    /// As in the status report; `good`, `missing` or `withheld` (from a server) for the certificate.
    var state: String
}

extension StatusReport {
    static let healthPath = "/health/"
    /// What the part is called that has the certificates.
    static let certificates = "certificates"
    /// What it is called when a server could not be given its copy.
    static let certificateCopies = "certificate-copies"

    /// Answers `GET /health/NAME`, with the name in the path.
    func health(askedAs path: String) -> ControlAnswer {
        let name = path.dropFirst(Self.healthPath.count)
        if let service = services.first(where: { $0.name == name }) {
            return ControlAnswer(service.state == "ready" ? 200 : 503, HealthAnswer(state: service.state))
        }
        guard name == Self.certificates, let certificate else {
            return .refusal(404, .init(error: "there is no part called \(name) here", tryThis: "look at `snikket status`"))
        }
        guard certificate.serial != nil else { return ControlAnswer(503, HealthAnswer(state: "missing")) }
        let isWithheld = problems.contains { $0.matter == Self.certificateCopies }
        return ControlAnswer(isWithheld ? 503 : 200, HealthAnswer(state: isWithheld ? "withheld" : "good"))
    }
}
