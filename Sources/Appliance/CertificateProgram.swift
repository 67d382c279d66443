import CertificateStore
import DurableFiles
import Glibc
import Subprocess
import Supervision
import SystemPackage

/// Runs `snikket-certs`, one process a job, as its own user.
struct CertificateProgram: Sendable {
    /// The program's path.
    let path: String
    /// Who it runs as; nil: whoever we are.
    let account: Account?

    init(path: String, account: Account?) throws(ApplianceError) {
        guard access(path, X_OK) == 0 else { throw .missingProgram(path: path) }
        self.path = path
        self.account = account
    }

    /// Does a job and returns the last thing it said.
    ///
    /// - Parameters:
    ///   - asOurselves: for files that only we can read.
    ///   - deadline: after this it is ended.
    ///   - progress: gets each event as it comes.
    func run(
        _ arguments: [String], asOurselves: Bool = false, deadline: Duration = .seconds(330),
        progress: @escaping @Sendable (CertificateEvent) -> Void = { _ in }
    ) async throws(CertificateFailure) -> CertificateEvent {
        var specification = ServiceSpecification(name: "snikket-certs", executable: path)
        specification.account = asOurselves ? nil : account
        let environment = specification.environment
        let setpriv = Privileges.options(for: specification) + ["--", path] + arguments
        do {
            let last = try await withThrowingTaskGroup(of: CertificateEvent?.self) { group in
                group.addTask { try await Self.events(setpriv, environment, progress) }
                group.addTask {
                    try await Task.sleep(for: deadline)
                    return nil
                }
                defer { group.cancelAll() }
                return try await group.next() ?? nil
            }
            guard let last else {
                throw CertificateFailure(kind: .local, error: "snikket-certs did not end in time", try: "look at `snikket logs`")
            }
            if case .failed(let failure) = last { throw failure }
            return last
        } catch let failure as CertificateFailure {
            throw failure
        } catch {
            throw CertificateFailure(kind: .local, error: "snikket-certs could not be run", cause: "\(error)", try: "install snikket again")
        }
    }

    @concurrent
    private static func events(
        _ arguments: [String], _ environment: [String: String], _ progress: @escaping @Sendable (CertificateEvent) -> Void
    ) async throws -> CertificateEvent? {
        let variables = Dictionary(uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) })
        let configuration = Configuration(
            executable: .path(FilePath(Privileges.program)), arguments: Arguments(arguments), environment: .custom(variables))
        // What it says in words on standard error, it says in its events too.
        let result = try await Subprocess.run(configuration, input: .none, output: .sequence, error: .discarded) { execution in
            var last: CertificateEvent?
            for try await line in execution.standardOutput.strings() {
                guard let event = CertificateEvent(line: line) else { continue }
                progress(event)
                last = event
            }
            return last
        }
        return result.closureResult
    }
}
