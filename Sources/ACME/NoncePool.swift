/// Nonces at hand (RFC 8555 §6.5): each response brings one, each request uses one up.
struct NoncePool {
    private var nonces: [String] = []

    /// The newest: it is the least likely to have been forgotten by the CA.
    mutating func take() -> String? { nonces.popLast() }

    /// Keeps the nonce of a response. What is not base64url is no nonce, and would end up in our signed header.
    mutating func add(from response: HTTPResponse) {
        guard let nonce = response.nonce else { return }
        nonces.append(nonce)
        if nonces.count > 16 { nonces.removeFirst() }
    }

    var count: Int { nonces.count }
}

extension HTTPResponse {
    /// The nonce for another request; nil when there is none, or something else.
    var nonce: String? {
        guard let nonce = header("replay-nonce"), !nonce.isEmpty, nonce.utf8.count <= 512, nonce.utf8.allSatisfy(isBase64URL) else { return nil }
        return nonce
    }
}

func isBase64URL(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x5f: true
    default: false
    }
}
