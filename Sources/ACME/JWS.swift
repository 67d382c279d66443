internal import FoundationEssentials

/// Who signs: a key that the CA does not know yet, or an account (RFC 8555 §6.2).
enum Identification: Sendable {
    case key
    case account(url: String)
}

/// A signed request body: a flattened JWS with everything that RFC 8555 §6.2 asks for.
func jws(
    payload: [UInt8], url: String, nonce: String, as identification: Identification, signer: any Signer
) throws(SigningError) -> [UInt8] {
    struct Header: Encodable {
        let alg = "ES256"
        var jwk: JSONWebKey?
        var kid: String?
        var nonce: String
        var url: String
    }
    var header = Header(nonce: nonce, url: url)
    switch identification {
    case .key: header.jwk = signer.publicKey
    case .account(let url): header.kid = url
    }
    let protected = base64url(try encoded(header))
    let body = base64url(payload)
    let signature = base64url(try signer.signature(of: Array("\(protected).\(body)".utf8)))
    return Array(#"{"protected":"\#(protected)","payload":"\#(body)","signature":"\#(signature)"}"#.utf8)
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
