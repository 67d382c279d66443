import DurableFiles
import Settings
import Supervision
import Synchronization
import SystemPackage

/// Runs a server's own checker, as the server's user and with no more rights, with a deadline.
struct Checker {
    let service: Service
    let seconds: Int
    /// Whether it may listen on ports below 1024: nginx's tries its ports.
    var bindsLowPort = false

    struct Result: Sendable {
        var lines: [String]
        var succeeded: Bool
    }

    /// Runs it to its end, or until it has printed a line that says enough; both of its outputs together.
    func run(
        _ program: String, _ arguments: [String], as owner: Account?, until isEnough: @escaping @Sendable (String) -> Bool = { _ in false }
    ) async throws(ServerConfigsError) -> Result {
        let specification = ServiceSpecification(
            name: service.rawValue, executable: program, arguments: arguments, account: owner,
            capabilities: owner != nil && bindsLowPort ? [.bindService] : [])
        let lines = Mutex<[String]>([])
        let end: Errand.End
        do throws(Errno) {
            end = try await Errand.run(specification, keepsErrors: true, deadline: .seconds(seconds), until: isEnough) { line in
                lines.withLock { if $0.count < Self.mostLines { $0.append(line) } }
            }
        } catch {
            let isShort = error == .tooManyOpenFiles || error == .tooManyOpenFilesInSystem
            throw isShort ? .file(FileError(.read, program, errno: error.rawValue)) : .checkerFailed(service, reason: error.description)
        }
        guard end != .tooLate else { throw .checkerTimedOut(service, seconds: seconds) }
        return Result(lines: lines.withLock { $0 }, succeeded: end == .exited(status: 0))
    }

    /// No checker has this much to say.
    private static let mostLines = 10_000
}
