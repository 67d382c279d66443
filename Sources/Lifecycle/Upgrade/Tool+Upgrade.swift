import DurableFiles
import Supervision

extension Tool {
    init(_ program: String, _ arguments: String..., environment: [String: String] = [:], within deadline: Duration = .seconds(60)) {
        self.init(program, arguments, environment: environment, within: deadline)
    }

    /// Runs it; how it ended is in the output.
    func run() async throws(UpgradeError) -> Output {
        do throws(Failure) { return try await output() } catch {
            switch error {
            case .timedOut(let seconds): throw .timedOut(File.name(of: program), seconds: seconds)
            case .notRun(let words): throw .program(File.name(of: program), words: words)
            }
        }
    }

    /// Runs it; it has to end well.
    @discardableResult
    func succeed() async throws(UpgradeError) -> String {
        let output = try await run()
        guard output.succeeded else { throw .program(File.name(of: program), words: output.lastWords) }
        return output.text
    }
}
