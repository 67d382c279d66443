/// URIs (RFC 3986), as far as settings need them.
enum WebAddress {
    /// The URI as it is, when it has one of these schemes, a host, and only characters that a URI may have.
    static func checked(_ text: String, schemes: [String]) throws(Problem.URIProblem) -> String {
        guard let scheme = schemes.first(where: { text.lowercased().hasPrefix($0 + ":") }) else { throw .scheme }
        if let bad = text.first(where: { !isURICharacter($0) }) { throw .badCharacter(bad) }
        let rest = text.dropFirst(scheme.count + 1)
        if scheme == "mailto" {
            guard (try? EmailAddress.normal(String(rest.prefix { $0 != "?" }))) != nil else { throw .noHost }
        } else {
            guard rest.hasPrefix("//"), hasHost(rest.dropFirst(2)) else { throw .noHost }
        }
        return text
    }

    /// An http or https URI with `{token}` in it once or more. The name that Prosody's templates use for the token is
    /// what the official snikket.conf has, and means the same.
    static func checkedTemplate(_ text: String) throws(Problem.URIProblem) -> String {
        let template = parts(of: text, separatedBy: "{invite.token}").joined(separator: "{token}")
        let parts = parts(of: template, separatedBy: "{token}")
        guard parts.count > 1 else { throw .noToken }
        // Whatever braces are left stand around something else.
        guard !parts.contains(where: { $0.contains("{") || $0.contains("}") }) else { throw .noToken }
        _ = try checked(parts.joined(separator: "token"), schemes: ["https", "http"])
        return template
    }

    private static func hasHost(_ authorityAndPath: Substring) -> Bool {
        let authority = authorityAndPath.prefix { !"/?#".contains($0) }
        let host = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]") else { return false }
            return IPAddress.normal(String(host[host.index(after: host.startIndex)..<end])) != nil
                && isPort(host[host.index(after: end)...])
        }
        let name = host.prefix { $0 != ":" }
        guard !name.isEmpty, isPort(host.dropFirst(name.count)) else { return false }
        return name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "." || $0 == "_" }
    }

    /// Nothing, or a colon and a port.
    private static func isPort(_ text: Substring) -> Bool {
        guard text.hasPrefix(":") else { return text.isEmpty }
        return Int(text.dropFirst()).map { (1...65535).contains($0) } ?? false
    }

    private static func isURICharacter(_ character: Character) -> Bool {
        guard let byte = character.asciiValue, byte > 0x20, byte < 0x7F else { return false }
        return !"\"<>\\^`{|}".contains(character)
    }

    private static func parts(of text: String, separatedBy separator: String) -> [String] {
        text.split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}
