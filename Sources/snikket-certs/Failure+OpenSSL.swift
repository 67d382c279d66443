import CertificateStore
import FoundationEssentials
import OpenSSL

/// Whose certificate it is: that decides what to advise.
enum CertificateOrigin {
    case authority
    case person(fullchain: String, key: String)
}

extension CertificateFailure {
    init(describing error: OpenSSLError, doing what: String) {
        self.init(kind: .local, error: "cannot \(what)", cause: ([error.operation] + error.reasons).joined(separator: ": "))
    }

    /// Words for a certificate that must not be used.
    init(describing problem: CertificateProblem, from origin: CertificateOrigin) {
        self.init(kind: .badCertificate, error: "the certificate cannot be used")
        switch origin {
        case .authority: `try` = "the certificate in use stays; report this to the certificate authority"
        case .person(let fullchain, _): error = "the certificate \(fullchain) cannot be used"
        }
        let (cause, advice) = Self.explain(problem, origin)
        self.cause = cause
        if case .person = origin { `try` = advice }
    }

    private static func explain(_ problem: CertificateProblem, _ origin: CertificateOrigin) -> (cause: String, advice: String) {
        var keyFile = "the private key"
        if case .person(_, let key) = origin { keyFile = key }
        switch problem {
        case .unreadableCertificate(let error):
            return (
                "it holds no certificate in PEM form (\(error.reasons.first ?? error.operation))",
                "give the file that begins with -----BEGIN CERTIFICATE-----"
            )
        case .unreadableKey(let error):
            return (
                "\(keyFile) holds no private key in PEM form without a password (\(error.reasons.first ?? error.operation))",
                "give the private key's own file; `openssl pkey -in FILE -out NEW` removes a password"
            )
        case .keyMismatch: return ("\(keyFile) belongs to another certificate", "give the key that the certificate was requested with")
        case .missingNames(let missing, let held):
            return (
                "it is not for \(missing.joined(separator: ", ")), only for \(held.isEmpty ? "no name" : held.joined(separator: ", "))",
                "get a certificate that holds all of these names"
            )
        case .expired(let date, let subject):
            return ("\(subject.map { "its issuer \($0)" } ?? "it") expired on \(day(date))", "get a new one")
        case .notYetValid(let date, let subject):
            return ("\(subject.map { "its issuer \($0)" } ?? "it") is only valid from \(day(date))", "check this machine's clock")
        case .incompleteChain(let issuer):
            return (
                "the certificate of its issuer, \(issuer), is missing from the file",
                "append the issuer's certificate: the CA calls the complete file fullchain or bundle"
            )
        case .selfSigned: return ("it was signed by itself, so nobody would trust it", "use a certificate authority, or set the internal one")
        case .badChain(let reason): return ("its chain is not valid: \(reason)", "give the certificate, then each issuer's, as the CA sent them")
        case .openSSL(let error): return (([error.operation] + error.reasons).joined(separator: ": "), "run it again")
        }
    }

    /// Words for an endpoint that could not be looked at.
    init(describing error: ProbeError, address: String) {
        self.init(kind: .unreachable, error: "cannot see the certificate at \(address)")
        switch error {
        case .badAddress(let text):
            self.init(
                kind: .configuration, error: "'\(text)' is no address with a port", cause: nil,
                try: "write 192.0.2.1:443 or [2001:db8::1]:443")
        case .connect, .timedOut, .closed, .noStartTLS, .streamError, .nonsense, .tls: cause = error.words
        }
    }
}

/// A day, as people write it.
private func day(_ seconds: Int) -> String {
    Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601.year().month().day())
}
