/// Who may issue certificates for a domain (CAA, RFC 8659): what its set of records says.
public struct CAAPolicy: Sendable, Equatable {
    private var properties: [Property]

    struct Property: Sendable, Equatable {
        var isCritical: Bool
        var tag: String
        var value: String
    }

    /// The policy that stands closest to a name, up the tree (RFC 8659 §3), and where it stands; nil when there is none.
    ///
    /// - Parameter policy: finds the policy of exactly one domain; nil when that has no records.
    public static func closest<Failure: Error>(
        to name: String, _ policy: (_ domain: String) throws(Failure) -> CAAPolicy?
    ) throws(Failure) -> (domain: String, policy: CAAPolicy)? {
        var domain = name.hasPrefix("*.") ? name.dropFirst(2) : Substring(name)
        while !domain.isEmpty {
            if let found = try policy(String(domain)) { return (String(domain), found) }
            domain = domain.firstIndex(of: ".").map { domain[domain.index(after: $0)...] } ?? ""
        }
        return nil
    }

    /// The domains that CAs go by which may issue, in lower case; nil for everybody (RFC 8659 §4.2 and §4.3).
    public func issuers(forWildcard isWildcard: Bool = false) -> [String]? {
        let known: Set = ["issue", "issuewild", "iodef", "contactemail", "contactphone", "issuemail", "issuevmc"]
        if properties.contains(where: { $0.isCritical && !known.contains($0.tag) }) { return [] }
        let wild = properties.filter { $0.tag == "issuewild" }
        let relevant = isWildcard && !wild.isEmpty ? wild : properties.filter { $0.tag == "issue" }
        guard !relevant.isEmpty else { return nil }
        return relevant.map { $0.value.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased() }
    }

    /// What a response says; nil when it holds no such records. Aliases have been followed by whoever answered.
    public init?(in response: DNSResponse) {
        properties = response.answers(.issuers).compactMap { Self.property(Array(response.bytes[$0.data])) }
        if properties.isEmpty { return nil }
    }

    /// Flags, the tag's length, the tag, the value (RFC 8659 §4.1).
    static func property(_ data: [UInt8]) -> Property? {
        guard data.count >= 2, data.count >= 2 + Int(data[1]) else { return nil }
        return Property(
            isCritical: data[0] & 0x80 != 0, tag: String(decoding: data[2..<2 + Int(data[1])], as: UTF8.self).lowercased(),
            value: printable(String(decoding: data[(2 + Int(data[1]))...], as: UTF8.self)))
    }
}
