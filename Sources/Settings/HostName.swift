internal import CIDN2

/// Host names: RFC 1123 §2.1 in ASCII, RFC 5891 and UTS #46 otherwise.
enum HostName {
    /// The longest name that DNS carries, in characters (RFC 1035 §2.3.4, without the length octets).
    static let highestLength = 253

    /// The ASCII form of a name, in lower case.
    static func ascii(_ text: String, highestLength: Int = highestLength) throws(Problem.DomainProblem) -> String {
        if text.unicodeScalars.contains(where: { $0.properties.isWhitespace }) { throw .space }
        if text.contains("://") || text.contains("/") { throw .isURL }
        if text.contains("@") { throw .isAddress }
        if IPAddress.normal(text) != nil { throw .isIPAddress }
        if let colon = text.firstIndex(of: ":") {
            let behind = text[text.index(after: colon)...]
            throw !behind.isEmpty && behind.utf8.allSatisfy { (0x30...0x39).contains($0) } ? .hasPort : .badCharacter(":")
        }
        // Names of plain ASCII go round libidn2, which refuses some that exist (hyphens in the third and fourth place).
        let plain = text.utf8.allSatisfy { $0 < 0x80 } && !text.lowercased().contains("xn--")
        let name = plain ? text.lowercased() : try converted(text)
        if IPAddress.normal(name) != nil { throw .isIPAddress }
        guard name != "localhost" else { return name }
        try check(name, highestLength: highestLength)
        return name
    }

    private static func check(_ name: String, highestLength: Int) throws(Problem.DomainProblem) {
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        for label in labels {
            if label.isEmpty { throw .emptyLabel }
            if let bad = label.first(where: { !isLetterDigitHyphen($0) }) { throw .badCharacter(bad) }
            if label.utf8.count > 63 { throw .labelTooLong(String(label)) }
            if label.hasPrefix("-") || label.hasSuffix("-") { throw .hyphenAtEdge(String(label)) }
        }
        guard labels.count > 1, let last = labels.last else { throw .singleLabel }
        if last.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { throw .numericTopLevel(String(last)) }
        if name.utf8.count > highestLength { throw .tooLong(length: name.utf8.count, highest: highestLength) }
    }

    private static func isLetterDigitHyphen(_ character: Character) -> Bool {
        switch character {
        case "a"..."z", "0"..."9", "-": character.isASCII
        default: false
        }
    }

    /// The name through libidn2.
    private static func converted(_ text: String) throws(Problem.DomainProblem) -> String {
        var output: UnsafeMutablePointer<CChar>?
        defer { idn2_free(output) }
        // TR46's mapping composes and lowers the case itself; the input may still come decomposed from a Mac.
        let flags = CInt(bitPattern: IDN2_NONTRANSITIONAL.rawValue | IDN2_NFC_INPUT.rawValue)
        let code = idn2_to_ascii_8z(text, &output, flags)
        guard code == IDN2_OK.rawValue, let output else {
            throw .notConvertible(String(cString: idn2_strerror_name(code)))
        }
        return String(cString: output).lowercased()
    }
}
