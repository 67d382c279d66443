import Glibc
import Subprocess
import Supervision
import SystemPackage

/// A program of the system that is run, waited for, and ended when it takes too long.
struct Tool: Sendable {
    /// What it printed.
    struct Output: Sendable {
        var succeeded: Bool
        var text: String
        var errors: String

        /// The last line that says something: of its errors, if there are any.
        var lastWords: String {
            let lines = (errors.isEmpty ? text : errors).split(whereSeparator: \.isNewline)
            return String((lines.last { !$0.allSatisfy(\.isWhitespace) } ?? "it said nothing").prefix(300))
        }
    }

    let program: String
    let arguments: [String]
    var environment: [String: String] = [:]
    var deadline: Duration = .seconds(60)

    init(_ program: String, _ arguments: String..., environment: [String: String] = [:], within deadline: Duration = .seconds(60)) {
        self.init(program, arguments, environment: environment, within: deadline)
    }

    init(_ program: String, _ arguments: [String], environment: [String: String] = [:], within deadline: Duration = .seconds(60)) {
        (self.program, self.arguments, self.environment, self.deadline) = (program, arguments, environment, deadline)
    }

    /// Runs it; how it ended is in the output.
    func run() async throws(UpgradeError) -> Output {
        let (name, seconds) = (String(program.split(separator: "/").last ?? ""), Int(deadline.components.seconds))
        do {
            return try await withThrowingTaskGroup(of: Output?.self) { group in
                group.addTask { try await self.output() }
                group.addTask {
                    try await Task.sleep(for: deadline)
                    return nil
                }
                defer { group.cancelAll() }
                guard let output = try await group.next() ?? nil else { throw UpgradeError.timedOut(name, seconds: seconds) }
                return output
            }
        } catch let error as UpgradeError {
            throw error
        } catch {
            throw .program(name, words: "\(error)")
        }
    }

    /// Runs it; it has to end well.
    @discardableResult
    func succeed() async throws(UpgradeError) -> String {
        let output = try await run()
        guard output.succeeded else { throw .program(String(program.split(separator: "/").last ?? ""), words: output.lastWords) }
        return output.text
    }

    @concurrent
    private func output() async throws -> Output {
        let all = ServiceSpecification.plainEnvironment.merging(environment) { $1 }
        let result = try await Subprocess.run(
            .path(FilePath(program)), arguments: Arguments(arguments),
            environment: .custom(Dictionary(uniqueKeysWithValues: all.map { (Environment.Key(stringLiteral: $0.key), $0.value) })),
            output: .string(limit: 4 << 20), error: .string(limit: 1 << 20))
        return Output(
            succeeded: result.terminationStatus.isSuccess, text: result.standardOutput, errors: result.standardError)
    }
}
