import DurableFiles
import Subprocess
import SystemPackage

/// A program of the system that is run as whoever we are, waited for, and ended when it takes too long. What it starts may outlive us: a package manager
/// is not to be killed because we are. See ``Errand`` for what shall have fewer rights than we.
public struct Tool: Sendable {
    /// What it printed.
    public struct Output: Sendable {
        public var succeeded: Bool
        /// Its exit status; nil when a signal has ended it.
        public var code: Int?
        public var text: String
        public var errors: String

        /// The last line that says something: of its errors, if there are any.
        public var lastWords: String {
            let lines = (errors.isEmpty ? text : errors).split(whereSeparator: \.isNewline)
            return String((lines.last { !$0.allSatisfy(\.isWhitespace) } ?? "it said nothing").prefix(300))
        }
    }

    /// Why there is no output.
    public enum Failure: Error, Sendable, Equatable {
        case timedOut(seconds: Int)
        /// It could not be run, or has printed more than anybody reads.
        case notRun(words: String)
    }

    /// Its path.
    public let program: String
    let arguments: [String]
    let environment: [String: String]
    let deadline: Duration

    /// - Parameter environment: beyond ``ServiceSpecification/plainEnvironment``, which is all that it has.
    public init(_ program: String, _ arguments: [String], environment: [String: String] = [:], within deadline: Duration = .seconds(60)) {
        (self.program, self.arguments, self.environment, self.deadline) = (program, arguments, environment, deadline)
    }

    /// Runs it; how it ended is in the output, of which 8 MiB are read.
    public func output() async throws(Failure) -> Output {
        if let errno = Descriptors.shortageForProgram() { throw .notRun(words: FileError(.read, program, errno: errno).words) }
        do {
            return try await withThrowingTaskGroup(of: Output?.self) { group in
                group.addTask { try await self.printed() }
                group.addTask {
                    try await Task.sleep(for: deadline)
                    return nil
                }
                // Whichever is first; the other one is cancelled, and with it the program.
                defer { group.cancelAll() }
                guard let output = try await group.next() ?? nil else { throw Failure.timedOut(seconds: Int(deadline.components.seconds)) }
                return output
            }
        } catch let error as Failure {
            throw error
        } catch {
            throw .notRun(words: "\(error)")
        }
    }

    @concurrent
    private func printed() async throws -> Output {
        let all = ServiceSpecification.plainEnvironment.merging(environment) { $1 }
        let result = try await Subprocess.run(
            .path(FilePath(program)), arguments: Arguments(arguments),
            environment: .custom(Dictionary(uniqueKeysWithValues: all.map { (Environment.Key(stringLiteral: $0.key), $0.value) })),
            output: .string(limit: 8 << 20), error: .string(limit: 1 << 20))
        let code: Int? = if case .exited(let code) = result.terminationStatus { Int(code) } else { nil }
        return Output(succeeded: result.terminationStatus.isSuccess, code: code, text: result.standardOutput, errors: result.standardError)
    }
}
