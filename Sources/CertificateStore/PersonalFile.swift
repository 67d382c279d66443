internal import Glibc

/// A file of the person's that is not where ours are: a certificate, a key.
public enum PersonalFile {
    /// What to do about one that cannot be read, or run.
    ///
    /// - Parameter errno: what the system said of it (errno(3)).
    public static func advice(on path: String, errno: Int32) -> String {
        guard errno == EACCES || errno == EPERM else { return "check the path" }
        // The unit has ProtectHome=yes.
        if ["/home/", "/root/", "/run/user/"].contains(where: path.hasPrefix) {
            return "keep it elsewhere, in /etc/snikket for one: the service has no access to home directories"
        }
        // Root has no capability to override permissions (capabilities(7), CAP_DAC_OVERRIDE).
        return geteuid() == 0
            ? "make it root's (chown root), in a folder that root may enter: the service reads no other user's files"
            : "see to it that this program's user may read it"
    }
}
