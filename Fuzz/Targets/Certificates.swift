import FoundationEssentials

@testable import ACME
@testable import OpenSSL

/// What certificates and requests are compared with: made once.
private struct Reference: Sendable {
    let authority: Authority
    let key: PrivateKey
    let keyPEM: [UInt8]
    let account: AccountKey

    init() throws {
        authority = try Authority(domains: ["example.org"], now: 1_700_000_000)
        keyPEM = Array(publishedKey.utf8)
        key = try PrivateKey(pem: keyPEM)
        account = try AccountKey(key)
    }

    static let shared: Result<Reference, any Error> = Result { try Reference() }
}

/// The key of RFC 7515 appendix A.3: certificates in the corpus are for it, so that a chain is looked at beyond its key.
private let publishedKey = """
    -----BEGIN EC PRIVATE KEY-----
    MHcCAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49
    AwEHoUQDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72b
    focs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==
    -----END EC PRIVATE KEY-----
    """

/// Chains and keys from files and from a CA.
///
/// Mutating base64 leads nowhere, so most inputs are DER that is wrapped here: the first byte says whether the rest is PEM as it
/// stands, a certificate, or a private key.
@Sendable func readPEM(_ input: [UInt8]) {
    guard let kind = input.first, let reference = try? Reference.shared.get() else { return }
    let rest = Array(input.dropFirst())
    switch kind % 4 {
    case 0:
        readChain(rest, reference)
        readKey(rest)
        _ = try? checkedCertificate(chain: rest, key: rest, names: ["example.org"], now: 1_700_000_000)
    case 1:
        readChain(armored(rest, "CERTIFICATE"), reference)
    case 2:
        guard let anchor = try? reference.authority.certificate.pem() else { return }
        readChain(armored(rest, "CERTIFICATE") + anchor, reference)
    default:
        readKey(armored(rest, "PRIVATE KEY"))
    }
}

private func armored(_ der: [UInt8], _ label: String) -> [UInt8] {
    Array("-----BEGIN \(label)-----\n\(Data(der).base64EncodedString(options: .lineLength64Characters))\n-----END \(label)-----\n".utf8)
}

private func readChain(_ pem: [UInt8], _ reference: Reference) {
    guard let chain = try? Certificate.chain(pem: pem) else { return }
    promise((1...16).contains(chain.count), "a chain of \(chain.count)")
    for certificate in chain {
        for text in certificate.names + [certificate.issuer, certificate.subject, certificate.serial] {
            promise(!hasControlCharacters(text), "a control character came through")
        }
        for name in certificate.names.prefix(4) { _ = certificate.covers(name) }
        _ = certificate.covers("example.org")
        _ = certificate.matches(reference.key)
        _ = renewalIdentifier(authorityKey: certificate.authorityKeyIdentifier ?? [], serial: certificate.serialBytes)
        guard let der = try? certificate.der(), let written = try? certificate.pem() else { continue }
        let again = try? Certificate.chain(pem: written)
        promise(again?.count == 1 && (try? again?.first?.der()) == der, "a certificate is not read back as it was written")
    }
    // A chain for another key is refused for that, and reading the key takes longer than all the rest.
    guard let leaf = chain.first, leaf.matches(reference.key) else { return }
    for now in [1_700_000_000, leaf.notBefore, leaf.notAfter] {
        guard let checked = try? checkedCertificate(chain: pem, key: reference.keyPEM, names: ["example.org"], now: now) else { continue }
        promise(checked.covers("example.org"), "a certificate for another name was taken")
        promise(!(chain.count == 1 && checked.issuer == checked.subject), "a self-signed certificate was taken")
    }
}

private func readKey(_ pem: [UInt8]) {
    guard let key = try? PrivateKey(pem: pem) else { return }
    _ = try? key.pem()
    _ = try? AccountKey(key).signature(of: [1])
}

/// Requests and certificates for names that are lines of anything.
@Sendable func makeRequests(_ input: [UInt8]) {
    guard let reference = try? Reference.shared.get() else { return }
    let names = String(decoding: input, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).prefix(50).map(String.init)
    let areFit = names.allSatisfy(isSubjectName)
    guard let request = try? signingRequest(names: names, key: reference.key) else { return }
    promise(areFit, "a request for a name that was refused")
    for name in names {
        guard case .dns = SubjectName(name) else { continue }
        // A dNSName is context-specific 2, with its length (RFC 5280 §4.2.1.6).
        let length = name.utf8.count < 128 ? [UInt8(name.utf8.count)] : [0x81, UInt8(name.utf8.count)]
        promise(contains(request, [0x82] + length + Array(name.utf8)), "the request does not hold the name")
    }
    // The local authority writes the names the same way, and what it wrote can be read.
    guard let certificate = try? reference.authority.issue(names: names, key: reference.key, now: 1_700_000_000) else { return }
    promise(certificate.names.count == names.count, "one name became several, or none")
    for (written, name) in zip(certificate.names, names) {
        guard case .dns = SubjectName(name) else { continue }
        promise(written == name, "a name became another one")
    }
}

private func contains(_ bytes: [UInt8], _ piece: [UInt8]) -> Bool {
    guard piece.count <= bytes.count else { return false }
    return (0...bytes.count - piece.count).contains { bytes[$0..<$0 + piece.count].elementsEqual(piece) }
}
