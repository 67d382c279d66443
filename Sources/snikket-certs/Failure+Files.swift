import ACME
import CertificateStore
import DurableFiles
import Glibc
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
        case let error as FileError: self.init(describing: error)
        default: self.init(kind: .local, error: "something unexpected happened", cause: "\(error)")
        }
    }

    /// Words for trouble with our own files.
    init(describing error: StoreError) {
        switch error {
        case .file(let error): self.init(describing: error)
        case .damaged(let path):
            self.init(
                kind: .local, error: "cannot use the certificate folder", cause: "\(path) is damaged", try: "remove that file; a new one is made")
        case .busy(let path):
            self.init(
                kind: .busy, error: "another certificate job is running", cause: "it holds \(path)", try: "wait until it has ended")
        }
    }

    /// Words for a file of ours that cannot be read or written.
    init(describing error: FileError) {
        let advice =
            switch error.errno {
            case ENOSPC, EDQUOT: "free some disk space"
            case EIO: "look at the disk: the kernel's log (`dmesg`) says what is wrong with it"
            default: "check the folder's owner and mode"
            }
        self.init(kind: .local, error: "cannot keep the certificate", cause: "\(error.path): \(error.words)", try: advice)
    }
}
