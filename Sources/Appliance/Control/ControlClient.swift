public import CertificateStore
import FoundationEssentials
import Glibc
import LocalHTTP
public import Settings

/// Asks a running `snikket up`.
public struct ControlClient: Sendable {
    private let locations: Locations
    private var socket: String { locations.controlSocket }
    private let client: LocalHTTPClient

    public init(_ locations: Locations) {
        self.locations = locations
        client = LocalHTTPClient(target: .unix(path: locations.controlSocket), hostHeader: "snikket")
    }

    /// How the appliance is.
    /// - Throws: ``ApplianceError/notRunning(socket:)`` when nothing answers, ``ApplianceError/withoutSocket(socket:process:)`` although it runs.
    public func status(within deadline: Duration = .seconds(5)) async throws(ApplianceError) -> StatusReport {
        let response = try await send(.init(path: "/status"), deadline: deadline)
        guard let report = try? StatusReport(json: response.body) else { throw .noAnswer(socket: socket) }
        return report
    }

    /// Whether one part serves: a server by its name, or `certificates`; and its state in a word.
    /// - Throws: ``ApplianceError/refused(_:)`` when there is no such part.
    public func health(of name: String) async throws(ApplianceError) -> (isGood: Bool, state: String) {
        let response = try await send(.init(path: StatusReport.healthPath + name))
        if let answer = try? JSONDecoder().decode(HealthAnswer.self, from: Data(response.body)) { return (response.status == 200, answer.state) }
        guard let problem = try? JSONDecoder().decode(StatusReport.ProblemReport.self, from: Data(response.body)) else {
            throw .noAnswer(socket: socket)
        }
        throw .refused(problem)
    }

    /// Has a new certificate got, now. Returns the number of the attempt, as in ``StatusReport/WorkReport``.
    /// - Throws: ``ApplianceError/refused(_:)`` when it is too early.
    public func renewCertificate() async throws(ApplianceError) -> Int {
        try await attempt(.init(method: .post, path: "/certificate/renew"))
    }

    /// Has the certificate replaced and then revoked. Returns the number of the attempt.
    ///
    /// - Parameter isForced: whether to revoke also when there is no other certificate yet.
    public func revokeCertificate(reason: RevocationReason, isForced: Bool) async throws(ApplianceError) -> Int {
        guard let body = try? JSONEncoder().encode(RevocationRequest(reason: reason, force: isForced)) else { throw .noAnswer(socket: socket) }
        return try await attempt(.init(method: .post, path: "/certificate/revoke", body: Array(body)))
    }

    /// Has the settings read again; returns what that changes.
    ///
    /// - Parameter isDry: only to look.
    /// - Throws: ``ApplianceError/wrongSettings(_:)``, ``ApplianceError/failed(_:)``, ``ApplianceError/refused(_:)``; nothing has changed then.
    public func reload(isDry: Bool) async throws(ApplianceError) -> ReloadReport {
        guard let body = try? JSONEncoder().encode(ReloadRequest(dry: isDry)) else { throw .noAnswer(socket: socket) }
        let response = try await send(.init(method: .post, path: "/reload", body: Array(body)), deadline: .seconds(300))
        if let report = try? JSONDecoder().decode(ReloadReport.self, from: Data(response.body)) { return report }
        guard let problem = try? JSONDecoder().decode(StatusReport.ProblemReport.self, from: Data(response.body)) else {
            throw .noAnswer(socket: socket)
        }
        switch response.status {
        case 422: throw .wrongSettings(problem)
        case 424: throw .failed(problem)
        default: throw .refused(problem)
        }
    }

    /// Has somebody log in, with an account that is made for it and removed again.
    /// - Throws: ``ApplianceError/failed(_:)`` when that does not work.
    public func tryLogin() async throws(ApplianceError) {
        let response = try await send(.init(method: .post, path: "/login"), deadline: .seconds(30))
        if response.status == 200 { return }
        guard let problem = try? JSONDecoder().decode(StatusReport.ProblemReport.self, from: Data(response.body)) else {
            throw .noAnswer(socket: socket)
        }
        throw .failed(problem)
    }

    private func attempt(_ request: LocalHTTPClient.Request) async throws(ApplianceError) -> Int {
        let response = try await send(request)
        if let answer = try? JSONDecoder().decode(AttemptAnswer.self, from: Data(response.body)) { return answer.attempt }
        guard let problem = try? JSONDecoder().decode(StatusReport.ProblemReport.self, from: Data(response.body)) else {
            throw .noAnswer(socket: socket)
        }
        throw .refused(problem)
    }

    private func send(_ request: LocalHTTPClient.Request, deadline: Duration = .seconds(5)) async throws(ApplianceError) -> LocalHTTPClient.Response {
        do {
            return try await client.send(request, deadline: deadline)
        } catch {
            switch error {
            case .refused:
                throw RunLock.owner(locations).map { .withoutSocket(socket: socket, process: $0) } ?? .notRunning(socket: socket)
            case .system(errno: EACCES): throw .notPermitted(socket: socket)
            default: throw .noAnswer(socket: socket)
            }
        }
    }
}
