extension Settings {
    /// The option with the secret that is shared with a TURN server.
    public static let relaySecretOption = "SNIKKET_TWEAK_TURNSERVER_SECRET"

    /// The text of a settings file without the values of options that are secrets, for whoever has no business with them. Everything else stays as it
    /// is, and every line keeps its number.
    ///
    /// - Parameter kept: the options whose values stay all the same.
    public static func text(_ text: String, hidingSecretsBut kept: Set<String>) -> String {
        let secret = ConfigurationFile(parsing: text).assignments.filter { assignment in
            !kept.contains(assignment.name) && Option.named(assignment.name)?.isSecret == true
        }
        guard !secret.isEmpty else { return text }
        // Where the file is cut into lines, it is cut in the same way.
        var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
        for case let (line?, name) in secret.map({ ($0.line, $0.name) }) {
            // That there is one may matter to others, such as whether calls go by another machine's relay.
            lines[line - 1] = name == relaySecretOption ? ConfigurationFile.line(setting: name, to: "withheld") : ""
        }
        return lines.joined(separator: "\n")
    }
}
