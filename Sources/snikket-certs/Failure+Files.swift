import ACME
import CertificateStore
import OpenSSL

extension CertificateFailure {
    /// Words for whatever a room threw.
    init(describing error: any Error) {
        switch error {
        case let failure as CertificateFailure: self = failure
        case let error as ACMEError: self.init(describing: error)
        case let error as ChallengeError: self.init(describing: error, name: nil)
        case let error as TransportError: self.init(describing: error, url: "")
        case let error as CertificateProblem: self.init(describing: error, from: .authority)
        case let error as OpenSSLError: self.init(describing: error, doing: "make or read a certificate")
        case let error as StoreError: self.init(describing: error)
        default: self.init(kind: .local, error: "something unexpected happened", cause: "\(error)")
        }
    }

    /// Words for trouble with our own files.
    init(describing error: StoreError) {
        switch error {
        case .file(let path, let errno):
            self.init(
                kind: .local, error: "cannot keep the certificate", cause: "\(path): \(words(errno))",
                try: errno == 28 ? "free some disk space" : "check the folder's owner and mode")
        case .damaged(let path):
            self.init(
                kind: .local, error: "cannot use the certificate folder", cause: "\(path) is damaged", try: "remove that file; a new one is made")
        case .busy(let path):
            self.init(
                kind: .busy, error: "another certificate job is running", cause: "it holds \(path)", try: "wait until it has ended")
        }
    }
}
