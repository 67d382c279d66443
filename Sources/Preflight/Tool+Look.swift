internal import Supervision

extension Tool {
    /// What a program that only shows something has printed, when it ended well within these seconds; nil otherwise.
    static func output(of program: String, _ arguments: [String], environment: [String: String] = [:], seconds: Int = 3) async -> String? {
        guard let output = try? await Tool(program, arguments, environment: environment, within: .seconds(seconds)).output(), output.succeeded else {
            return nil
        }
        return output.text
    }
}
