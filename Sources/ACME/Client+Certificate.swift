internal import DNS
internal import FoundationEssentials
internal import Glibc

/// Certificates that exist already: their other chains, their end, their renewal.
extension Client {
    /// The certificate and its chain, PEM (RFC 8555 §7.4.2), and where its other chains are.
    func certificate(_ url: String) async throws(ACMEError) -> (chain: [UInt8], alternates: [String]) {
        try await post(url, payload: [], step: .certificate, accept: "application/pem-certificate-chain") { (response) throws(ACMEError) in
            if let type = response.mediaType, type != "application/pem-certificate-chain" {
                throw .unexpected(url: url, status: response.status, what: .contentType(printable(type)))
            }
            guard isWholePEM(response.body) else { throw .unexpected(url: url, status: response.status, what: .notPEM) }
            return (response.body, Array(links(of: response, relation: "alternate").prefix(8)))
        }
    }

    /// Revokes a certificate, DER: with the account's key, or with the certificate's own when that is what this client signs with
    /// (RFC 8555 §7.6). One that is revoked already is no error.
    ///
    /// - Parameter reason: a CRLReason (RFC 5280 §5.3.1).
    public func revoke(_ certificate: [UInt8], reason: Int?) async throws(ACMEError) {
        struct Request: Encodable {
            var certificate: String
            var reason: Int?
        }
        guard let url = try await directory().revokeCert else { throw .unsupported(.revocation) }
        do throws(ACMEError) {
            _ = try await post(url, payload: try json(Request(certificate: base64url(certificate), reason: reason)), step: .certificate)
        } catch .problem(let problem, _, _, _) where problem.name == "alreadyRevoked" {}
    }

    /// When the CA wants a certificate to be renewed (RFC 9773 §4).
    ///
    /// - Parameter identifier: see ``renewalIdentifier(authorityKey:serial:)``.
    public func renewalInfo(_ identifier: String) async throws(ACMEError) -> RenewalInfo {
        struct Answer: Decodable {
            struct Window: Decodable {
                var start: String
                var end: String
            }
            var suggestedWindow: Window
            var explanationURL: String?
        }
        guard let base = try await directory().renewalInfo else { throw .unsupported(.renewalInfo) }
        let url = base + (base.hasSuffix("/") ? "" : "/") + identifier
        return try await get(url, step: .certificate) { (response) throws(ACMEError) in
            let answer = try self.decode(Answer.self, from: response, url: url)
            guard let start = seconds(rfc3339: answer.suggestedWindow.start), let end = seconds(rfc3339: answer.suggestedWindow.end), start < end
            else {
                // A window that ends before it begins counts as none (RFC 9773 §4.2).
                throw .unexpected(url: url, status: response.status, what: .missing("suggestedWindow"))
            }
            return RenewalInfo(
                start: start, end: end, explanationURL: answer.explanationURL.map(printable),
                retryAfter: retryAfter(response.header("retry-after"), now: self.time.date()))
        }
    }
}

/// Whether it looks like certificates, PEM, that have arrived to their end (RFC 8555 §9.1). What is in them is looked at later.
func isWholePEM(_ body: [UInt8]) -> Bool {
    let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0d).contains($0) }
    let end = Array("-----END CERTIFICATE-----".utf8)
    return body.drop(while: isSpace).starts(with: "-----BEGIN CERTIFICATE-----".utf8)
        && body.reversed().drop(while: isSpace).starts(with: end.reversed())
}

/// When a CA wants a certificate to be renewed (RFC 9773 §4.2).
public struct RenewalInfo: Sendable, Equatable {
    /// The window: seconds since 1970.
    public var start: Int
    public var end: Int
    /// A page for people that says why.
    public var explanationURL: String?
    /// Seconds after which to ask again.
    public var retryAfter: Int?
}

/// How a certificate is called in renewal information and in `replaces` (RFC 9773 §4.1).
///
/// - Parameters:
///   - authorityKey: the keyIdentifier of its authority key identifier.
///   - serial: the bytes of its serial number, as in DER: with a zero in front when the first bit is set.
public func renewalIdentifier(authorityKey: [UInt8], serial: [UInt8]) -> String {
    base64url(authorityKey) + "." + base64url(serial)
}

/// The targets of a response's links of this relation (RFC 8288 §3); https only.
func links(of response: HTTPResponse, relation: String) -> [String] {
    var found: [String] = []
    for header in response.headers where header.name == "link" {
        var rest = header.value[...]
        while let open = rest.firstIndex(of: "<"), let close = rest[open...].firstIndex(of: ">") {
            let target = rest[rest.index(after: open)..<close]
            rest = rest[rest.index(after: close)...]
            let parameters = rest.prefix { $0 != "<" }.split { $0 == ";" || $0 == "," }.map { $0.filter { $0 != " " && $0 != "\"" } }
            if parameters.contains("rel=\(relation)"), target.hasPrefix("https://") { found.append(String(target)) }
        }
    }
    return found
}

/// Seconds since 1970 of `2025-01-02T04:00:00Z`, with or without fractions, or with an offset (RFC 3339 §5.6).
func seconds(rfc3339 text: String) -> Int? {
    let characters = Array(text.utf8)
    func number(_ range: Range<Int>) -> Int32? {
        guard range.upperBound <= characters.count, characters[range].allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return characters[range].reduce(0) { $0 * 10 + Int32($1 - 0x30) }
    }
    guard characters.count >= 20, let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
        let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
        year >= 1970, (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61
    else { return nil }
    var rest = characters[19...]
    if rest.first == 0x2e { rest = rest.dropFirst().drop { (0x30...0x39).contains($0) } }
    var offset = 0
    switch rest.first {
    case 0x5a, 0x7a: guard rest.count == 1 else { return nil }
    case 0x2b, 0x2d:
        let at = rest.startIndex
        guard rest.count == 6, let hours = number(at + 1..<at + 3), let minutes = number(at + 4..<at + 6) else { return nil }
        offset = (Int(hours) * 3600 + Int(minutes) * 60) * (rest.first == 0x2b ? 1 : -1)
    default: return nil
    }
    var time = tm()
    (time.tm_year, time.tm_mon, time.tm_mday) = (year - 1900, month - 1, day)
    (time.tm_hour, time.tm_min, time.tm_sec) = (hour, minute, second)
    return timegm(&time) - offset
}
