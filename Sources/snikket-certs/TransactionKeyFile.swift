import ACME
import CertificateStore
import DNS
import OpenSSL

/// Reads a key for DNS updates, in the form that `tsig-keygen` writes: `key "NAME" { algorithm hmac-sha256; secret "BASE64"; };`.
func transactionKey(at path: String) throws(CertificateFailure) -> TransactionKey {
    let text = String(decoding: try read(path, what: "TSIG key"), as: UTF8.self)
    let words = text.split { " \t\r\n{};".contains($0) }.map { $0.filter { $0 != "\"" } }
    func word(after name: String) -> String? {
        guard let at = words.firstIndex(of: name), at + 1 < words.count else { return nil }
        return words[at + 1]
    }
    let problem: String
    if let name = word(after: "key"), let algorithm = word(after: "algorithm"), let secret = word(after: "secret") {
        if algorithm.lowercased() != "hmac-sha256" {
            problem = "its algorithm is \(algorithm), and only hmac-sha256 is possible"
        } else if let bytes = bytes(base64url: secret), !bytes.isEmpty {
            return TransactionKey(name: name, mac: MACKey(bytes).signature)
        } else {
            problem = "its secret is no base64 text"
        }
    } else {
        problem = "it does not name a key, its algorithm and its secret"
    }
    throw CertificateFailure(
        kind: .configuration, error: "cannot use the TSIG key \(path)", cause: problem, try: "make one with `tsig-keygen -a hmac-sha256 NAME`")
}

extension CertificateFailure {
    /// Words for a DNS server that did not change the zone.
    init(describing error: DNSUpdateError, server: String, name: String?) {
        self.init(kind: .local, error: "the DNS server \(server) did not take the record for \(name ?? "a name")")
        switch error {
        case .server(.connection(errno: let errno)):
            cause = errno == 11 ? "it did not answer within ten seconds" : words(errno)
            `try` = "check the address, and that the server is reachable over TCP"
        case .server(.badAddress):
            self.init(kind: .configuration, error: "'\(server)' is no address with a port", try: "write 192.0.2.1:53 or [2001:db8::1]:53")
        case .server(.nonsense): cause = "its answer cannot be read"
        case .server(.noZone):
            cause = "it is not in charge of this name's zone"
            `try` = "give the zone's primary server with --dns-server"
        case .server(.refused(code: let code)):
            cause = "it answers \(Self.responseCodes[code] ?? "with code \(code)")"
            `try` = "check the key's name and secret, both clocks, and that the server lets this key change _acme-challenge records"
        case .notSigned:
            cause = "its answer does not carry the key's signature"
            `try` = "check the key, and both clocks"
        case .signing(let error): cause = error.reason
        }
    }

    /// RFC 2136 §2.2 and RFC 8945 §3.
    static let responseCodes = [
        1: "FORMERR (it does not understand)", 2: "SERVFAIL (it has trouble of its own)", 4: "NOTIMP (it takes no updates)",
        5: "REFUSED", 9: "NOTAUTH (it does not accept the key, or is not in charge)", 10: "NOTZONE",
    ]
}
