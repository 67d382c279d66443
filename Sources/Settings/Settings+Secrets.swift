extension Settings {
    /// The option with the secret that is shared with a TURN server.
    public static let relaySecretOption = "SNIKKET_TWEAK_TURNSERVER_SECRET"

    /// The text of a settings file without the values of options that are secrets, for whoever has no business with them. Comments are left out: an
    /// assignment that is commented out still holds its secret. Everything else means the same, and every line keeps its number.
    ///
    /// - Parameter kept: the options whose values stay all the same.
    public static func text(_ text: String, hidingSecretsBut kept: Set<String>) -> String {
        // Where the file is cut into lines, it is cut in the same way.
        var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { _ in "" }
        for case let (line?, assignment) in ConfigurationFile(parsing: text).assignments.map({ ($0.line, $0) }) {
            let (name, isHidden) = (assignment.name, !kept.contains(assignment.name) && Option.named(assignment.name)?.isSecret == true)
            // That there is one may matter to others, such as whether calls go by another machine's relay.
            guard !isHidden || name == relaySecretOption else { continue }
            lines[line - 1] = ConfigurationFile.line(setting: name, to: isHidden ? "withheld" : assignment.value)
        }
        return lines.joined(separator: "\n")
    }
}
