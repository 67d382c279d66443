import ACME
import OpenSSL
import Synchronization

/// The key of the certificate to be: made when the request is asked for, written only together with its certificate.
final class CertificateKey: Sendable {
    private let names: [String]
    private let made = Mutex<PrivateKey?>(nil)

    init(names: [String]) { self.names = names }

    /// The signing request, DER.
    func request() throws(SigningError) -> [UInt8] {
        do {
            let key = try PrivateKey()
            let request = try signingRequest(names: names, key: key)
            made.withLock { $0 = key }
            return request
        } catch {
            throw SigningError(reason: ([error.operation] + error.reasons).joined(separator: ": "))
        }
    }

    /// The key, PEM.
    func pem() throws -> [UInt8] {
        guard let key = made.withLock({ $0 }) else { throw SigningError(reason: "no request was made") }
        return try key.pem()
    }
}
