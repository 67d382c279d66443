internal import Dispatch
internal import Glibc

/// Looks whether DNS lets a CA issue for a name (CAA, RFC 8659), before the CA is asked.
public struct CAACheck: Sendable {
    private let resolver: String

    /// - Parameter resolver: a recursive resolver that answers over TCP, `192.0.2.1:53`; nil for the first of /etc/resolv.conf.
    public init?(resolver: String? = nil) {
        guard let resolver = resolver ?? systemResolver() else { return nil }
        self.resolver = resolver
    }

    /// The names that must not be issued for by a CA that goes by these domains. A resolver that does not answer permits: it cannot be told then.
    func forbidden(_ names: [String], for identities: [String]) async -> [ForbiddenName] {
        guard !identities.isEmpty else { return [] }
        return await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: look(names, identities.map { $0.lowercased() })) }
        }
    }

    private func look(_ names: [String], _ identities: [String]) -> [ForbiddenName] {
        // Names of one domain have their parents in common.
        var known: [String: [Property]] = [:]
        var forbidden: [ForbiddenName] = []
        for name in names {
            let isWildcard = name.hasPrefix("*.")
            var domain = isWildcard ? Substring(name.dropFirst(2)) : Substring(name)
            // The closest set of records counts, up the tree (RFC 8659 §3).
            while !domain.isEmpty {
                let properties: [Property]
                if let before = known[String(domain)] {
                    properties = before
                } else {
                    guard let found = try? records(of: String(domain)) else { return forbidden }
                    properties = found
                    known[String(domain)] = found
                }
                if !properties.isEmpty {
                    if let allowed = issuers(properties, isWildcard: isWildcard), Set(allowed).isDisjoint(with: identities) {
                        forbidden.append(
                            ForbiddenName(name: name, domain: String(domain), allowed: allowed.filter { !$0.isEmpty }, identities: identities))
                    }
                    break
                }
                domain = domain.firstIndex(of: ".").map { domain[domain.index(after: $0)...] } ?? ""
            }
        }
        return forbidden
    }

    struct Property: Equatable {
        var isCritical: Bool
        var tag: String
        var value: String
    }

    /// Who may issue; nil for everybody (RFC 8659 §4.2 and §4.3).
    private func issuers(_ properties: [Property], isWildcard: Bool) -> [String]? {
        let known: Set = ["issue", "issuewild", "iodef", "contactemail", "contactphone", "issuemail", "issuevmc"]
        if properties.contains(where: { $0.isCritical && !known.contains($0.tag) }) { return [] }
        let wild = properties.filter { $0.tag == "issuewild" }
        let relevant = isWildcard && !wild.isEmpty ? wild : properties.filter { $0.tag == "issue" }
        guard !relevant.isEmpty else { return nil }
        return relevant.map { $0.value.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased() }
    }

    private func records(of domain: String) throws(DNSUpdateError) -> [Property] {
        var writer = DNSWriter()
        let id = UInt16.random(in: 0...UInt16.max)
        // Recursion desired.
        writer.write(header: id, flags: 0x0100, [1, 0, 0, 0])
        writer.write(name: domain)
        for value in [257, 1] as [UInt16] { writer.write(value) }
        return try Self.properties(in: try DNSConnection.exchange(writer.bytes, with: resolver, seconds: 3), id: id)
    }

    /// The properties that a response holds.
    static func properties(in response: [UInt8], id: UInt16) throws(DNSUpdateError) -> [Property] {
        var reader = DNSReader(response)
        guard let header = reader.header(), header.id == id, header.flags & 0x8000 != 0 else { throw .nonsense }
        guard header.code == 0 || header.code == 3 else { throw .refused(code: header.code) }
        for _ in 0..<header.counts[0] where !reader.question() { throw .nonsense }
        var properties: [Property] = []
        for _ in 0..<header.counts[1] {
            guard let record = reader.record() else { throw .nonsense }
            // Flags, the tag's length, the tag, the value (RFC 8659 §4.1).
            let data = Array(response[record.data])
            guard record.type == 257, data.count >= 2, data.count >= 2 + Int(data[1]) else { continue }
            properties.append(
                Property(
                    isCritical: data[0] & 0x80 != 0, tag: String(decoding: data[2..<2 + Int(data[1])], as: UTF8.self).lowercased(),
                    value: printable(String(decoding: data[(2 + Int(data[1]))...], as: UTF8.self))))
        }
        return properties
    }
}

/// A name that DNS forbids a CA to issue for.
public struct ForbiddenName: Sendable, Equatable {
    public var name: String
    /// Where the records are.
    public var domain: String
    /// Who may issue; empty for nobody.
    public var allowed: [String]
    /// What the CA goes by.
    public var identities: [String]
}

/// The first nameserver of /etc/resolv.conf.
func systemResolver() -> String? {
    guard let file = fopen("/etc/resolv.conf", "re") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 1024)
    while fgets(&line, Int32(line.count), file) != nil {
        let words = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).split { " \t\n".contains($0) }
        if words.count >= 2, words[0] == "nameserver" { return words[1].contains(":") ? "[\(words[1])]:53" : "\(words[1]):53" }
    }
    return nil
}
