import ArgumentParser

extension Failure {
    /// Words for a command line that is not understood.
    ///
    /// - Parameters:
    ///   - message: what ArgumentParser has against it.
    ///   - arguments: the command line, without the program.
    init(usage message: String, of arguments: [String]) {
        let command = (["snikket"] + Self.subcommands(in: arguments)).joined(separator: " ")
        let words = message.prefix(1).lowercased() + message.dropFirst()
        self.init(
            error: "`\(command)` is not used like this", cause: words.hasSuffix(".") ? String(words.dropLast()) : words,
            tryThis: (["snikket help"] + Self.subcommands(in: arguments)).joined(separator: " "), code: .usage)
    }

    /// The words of the command line that name the command: `invite create`.
    private static func subcommands(in arguments: [String]) -> [String] {
        var command: any ParsableCommand.Type = Snikket.self
        var words: [String] = []
        for word in arguments {
            guard let next = command.configuration.subcommands.first(where: { $0.configuration.commandName == word }) else { break }
            command = next
            words.append(word)
        }
        return words
    }
}
