import CertificateStore
import Glibc

/// Gives root up for the user that the store belongs to, for good.
///
/// The person's own files may be readable by root only, so root reads them. What is written then belongs to the store's
/// user, who could not replace it otherwise; and root does not write into a folder that somebody else can change.
func becomeOwner(of folder: String) throws(CertificateFailure) {
    var status = stat()
    guard geteuid() == 0, stat(folder, &status) == 0, status.st_uid != 0 else { return }
    guard setgroups(0, nil) == 0, setgid(status.st_gid) == 0, setuid(status.st_uid) == 0 else {
        throw CertificateFailure(kind: .local, error: "cannot become the user that \(folder) belongs to", cause: words(errno))
    }
}
