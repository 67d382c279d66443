internal import FoundationEssentials

/// Who signs: a key that the CA does not know yet, or an account (RFC 8555 §6.2).
enum Identification: Sendable {
    case key
    case account(url: String)
}

/// A flattened JWS (RFC 7515 §7.2.2).
struct SignedMessage: Encodable, Sendable {
    var protected: String
    var payload: String
    var signature: String

    init(header: some Encodable, payload: [UInt8], signature: ([UInt8]) throws(SigningError) -> [UInt8]) throws(SigningError) {
        protected = base64url(try encoded(header))
        self.payload = base64url(payload)
        self.signature = base64url(try signature(Array("\(protected).\(self.payload)".utf8)))
    }

    /// As a request body.
    var bytes: [UInt8] { Array(#"{"protected":"\#(protected)","payload":"\#(payload)","signature":"\#(signature)"}"#.utf8) }
}

/// The protected header of RFC 8555 §6.2; without a nonce inside of a key change (§7.3.5).
struct JWSHeader: Encodable {
    let alg = "ES256"
    var jwk: JSONWebKey?
    var kid: String?
    var nonce: String?
    var url: String
}

/// A signed request body with everything that RFC 8555 §6.2 asks for.
func jws(
    payload: [UInt8], url: String, nonce: String, as identification: Identification, signer: any Signer
) throws(SigningError) -> [UInt8] {
    var header = JWSHeader(nonce: nonce, url: url)
    switch identification {
    case .key: header.jwk = signer.publicKey
    case .account(let url): header.kid = url
    }
    return try SignedMessage(header: header, payload: payload, signature: signer.signature).bytes
}

/// JSON bytes of a value of ours.
func encoded(_ value: some Encodable) throws(SigningError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do { return Array(try encoder.encode(value)) } catch { throw SigningError(reason: "\(error)") }
}

/// The key authorization of a token (RFC 8555 §8.1).
public func keyAuthorization(token: String, signer: any Signer) throws(SigningError) -> String {
    token + "." + base64url(try signer.sha256(Array(signer.publicKey.canonical.utf8)))
}
