internal import DNS
internal import Dispatch

/// Finds the DNS servers that are in charge of a name, through a resolver.
struct DNSServers: Sendable {
    /// A server in charge.
    struct Server: Sendable, Hashable {
        /// Its name, with a dot after each label.
        var name: String
        /// Its address, and the port.
        var endpoint: String
    }

    let resolver: String
    /// Servers whose addresses are not to be looked up.
    let resolutions: [Resolution]

    /// The servers of the zone that a name is in; nil when it cannot be told.
    func inCharge(of name: String) async -> [Server]? {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: try? look(for: name)) }
        }
    }

    private func look(for name: String) throws(DNSError) -> [Server] {
        let zone = try zone(of: name)
        let answer = try ask(zone, .nameServer)
        var servers: [Server] = []
        // An honest zone has a handful.
        for record in answer.answers(.nameServer).prefix(13) where record.name == zone {
            guard let server = answer.name(in: record) else { continue }
            let given = resolutions.filter { $0.name + "." == server }
            servers += given.map {
                Server(name: server, endpoint: $0.address.contains(":") ? "[\($0.address)]:\($0.port)" : "\($0.address):\($0.port)")
            }
            guard given.isEmpty else { continue }
            for kind in [DNSQuery.Kind.address, .address6] {
                guard let answer = try? ask(server, kind) else { continue }
                servers += answer.answers(kind).compactMap { record in
                    answer.endpoint(in: record, port: 53).map { Server(name: server, endpoint: $0) }
                }
            }
        }
        guard !servers.isEmpty else { throw .noZone }
        return servers
    }

    /// The owner of the closest SOA record above a name: it stands in the answer, or beside one that says there is nothing (RFC 2308 §2).
    private func zone(of name: String) throws(DNSError) -> String {
        var domain = name.hasSuffix(".") ? name.lowercased() : name.lowercased() + "."
        let whole = "." + domain
        while !domain.isEmpty {
            let response = try ask(domain, .start)
            let owners = (response.answers + response.authority).filter { $0.type == DNSQuery.Kind.start.rawValue }.map(\.name)
            // That of an alias's target is another zone's.
            if let owner = owners.first(where: { $0.isEmpty || whole.hasSuffix("." + $0) }) { return owner }
            domain = domain.firstIndex(of: ".").map { String(domain[domain.index(after: $0)...]) } ?? ""
        }
        throw .noZone
    }

    private func ask(_ name: String, _ kind: DNSQuery.Kind) throws(DNSError) -> DNSResponse {
        let response = try DNSQuery(name: name, kind: kind, isRecursive: true).ask(resolver)
        guard response.code == 0 || response.code == 3 else { throw .refused(code: response.code) }
        return response
    }
}
