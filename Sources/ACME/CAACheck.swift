internal import DNS
internal import Dispatch

/// Looks whether DNS lets a CA issue for a name (CAA, RFC 8659), before the CA is asked.
public struct CAACheck: Sendable {
    private let resolver: String

    /// - Parameter resolver: a recursive resolver, `192.0.2.1:53`; nil for the first of /etc/resolv.conf.
    public init?(resolver: String? = nil) {
        guard let resolver = resolver ?? systemResolvers().first else { return nil }
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
        var known: [String: CAAPolicy?] = [:]
        var forbidden: [ForbiddenName] = []
        for name in names {
            do throws(DNSError) {
                let closest = try CAAPolicy.closest(to: name) { (domain: String) throws(DNSError) in
                    if let before = known[domain] { return before }
                    let response = try DNSQuery(name: domain, kind: .issuers, isRecursive: true).askOnce(resolver, seconds: 3)
                    guard response.code == 0 || response.code == 3 else { throw .refused(code: response.code) }
                    let policy = CAAPolicy(in: response)
                    known[domain] = policy
                    return policy
                }
                guard let closest, let allowed = closest.policy.issuers(forWildcard: name.hasPrefix("*.")),
                    Set(allowed).isDisjoint(with: identities)
                else { continue }
                forbidden.append(
                    ForbiddenName(name: name, domain: closest.domain, allowed: allowed.filter { !$0.isEmpty }, identities: identities))
            } catch {
                return forbidden
            }
        }
        return forbidden
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
