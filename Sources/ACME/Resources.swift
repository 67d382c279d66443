internal import DNS

/// The directory (RFC 8555 §7.1.1).
public struct Directory: Sendable, Decodable {
    public var newNonce: String
    public var newAccount: String
    public var newOrder: String
    public var revokeCert: String?
    public var keyChange: String?
    /// RFC 9773.
    public var renewalInfo: String?
    public var meta: Meta?

    /// What the CA says about itself.
    public struct Meta: Sendable, Decodable {
        public var termsOfService: String?
        public var externalAccountRequired: Bool?
        public var caaIdentities: [String]?
        /// Name and description of each profile (draft-ietf-acme-profiles).
        public var profiles: [String: String]?
    }
}

/// An account (RFC 8555 §7.1.2); what is of interest of it.
struct Account: Sendable, Decodable {
    var contact: [String]?
}

/// A name that a certificate is asked for (RFC 8555 §9.7.7).
public struct Identifier: Sendable, Equatable, Codable {
    public var type: String
    public var value: String
    public init(dns name: String) {
        type = "dns"
        value = name
    }
}

/// An order (RFC 8555 §7.1.3).
public struct Order: Sendable, Decodable {
    public var status: Status
    public var identifiers: [Identifier]
    public var authorizations: [String]
    public var finalize: String
    public var certificate: String?
    public var error: Problem?

    public enum Status: String, Sendable, Decodable {
        case pending, ready, processing, valid, invalid
    }
}

/// An authorization (RFC 8555 §7.1.4).
public struct Authorization: Sendable, Decodable {
    public var identifier: Identifier
    public var status: Status
    public var challenges: [Challenge]
    public var wildcard: Bool?

    public enum Status: String, Sendable, Decodable {
        case pending, valid, invalid, deactivated, expired, revoked
    }
}

/// A challenge (RFC 8555 §7.1.5). A kind that we do not know has to be read as well.
public struct Challenge: Sendable, Decodable {
    public var type: String
    public var url: String
    public var status: String?
    public var token: String?
    public var error: Problem?
}

/// A problem document (RFC 7807, RFC 8555 §6.7).
public struct Problem: Sendable, Equatable, Decodable {
    /// As sent: a URN under `urn:ietf:params:acme:error:`, or something else.
    public var type: String
    /// For people. Without control characters, 1000 characters at most.
    public var detail: String
    /// One for each name that has a problem of its own.
    public var subproblems: [Subproblem]

    public struct Subproblem: Sendable, Equatable, Decodable {
        public var type: String
        public var detail: String
        public var identifier: Identifier?
    }

    public init(type: String, detail: String, subproblems: [Subproblem] = []) {
        self.type = printable(type)
        self.detail = printable(detail)
        self.subproblems = subproblems.prefix(100).map {
            Subproblem(
                type: printable($0.type), detail: printable($0.detail),
                identifier: $0.identifier.map { Identifier(dns: printable($0.value)) })
        }
    }

    private enum CodingKeys: String, CodingKey { case type, detail, subproblems }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            type: try container.decodeIfPresent(String.self, forKey: .type) ?? "about:blank",
            detail: try container.decodeIfPresent(String.self, forKey: .detail) ?? "",
            subproblems: (try? container.decodeIfPresent([Subproblem].self, forKey: .subproblems)) ?? [])
    }

    /// The part of the type after the ACME prefix, such as `rateLimited`; nil for other types.
    public var name: String? {
        let prefix = "urn:ietf:params:acme:error:"
        return type.hasPrefix(prefix) ? String(type.dropFirst(prefix.count)) : nil
    }
}
