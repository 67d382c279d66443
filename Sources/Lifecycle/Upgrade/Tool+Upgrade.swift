import DurableFiles
import Supervision

extension Tool.Output {
    /// What one of our programs said of its failure: its error and the cause of it; its last words when it said neither.
    var complaint: String {
        let lines = errors.split(separator: "\n")
        let said = ["snikket: error: ", "snikket: cause: "].flatMap { part in
            lines.filter { $0.hasPrefix(part) }.map { String($0.dropFirst(part.count)) }
        }
        return said.isEmpty ? lastWords : said.joined(separator: ": ")
    }
}

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
