/// E-mail addresses: RFC 5321 §4.1.2, without quoted local parts.
enum EmailAddress {
    /// The address with its domain in ASCII and lower case.
    static func normal(_ text: String) throws(Problem.EmailProblem) -> String {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count > 1 else { throw .noAt }
        guard parts.count == 2 else { throw .twoAts }
        let local = parts[0]
        if local.isEmpty { throw .emptyLocalPart }
        if local.utf8.count > 64 { throw .localPartTooLong(length: local.utf8.count) }
        if let bad = local.first(where: { !isAtomText($0) && $0 != "." }) { throw .badCharacter(bad) }
        if local.split(separator: ".", omittingEmptySubsequences: false).contains(where: \.isEmpty) { throw .misplacedDot }
        do throws(Problem.DomainProblem) {
            return try "\(local)@\(HostName.ascii(String(parts[1])))"
        } catch {
            throw .domain(error)
        }
    }

    /// RFC 5322 §3.2.3.
    private static func isAtomText(_ character: Character) -> Bool {
        guard let byte = character.asciiValue, byte > 0x20, byte < 0x7F else { return false }
        return character.isLetter || character.isNumber || "!#$%&'*+-/=?^_`{|}~".contains(character)
    }
}
