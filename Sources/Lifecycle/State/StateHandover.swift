public import DurableFiles
import Glibc

/// A folder that gets another owner, with everything in it that was the old one's.
public enum StateHandover {
    /// What is in it first: whoever is killed in the middle finds the folder still the old owner's, and begins again. No link is followed, and what is
    /// somebody else's stays so.
    public static func give(_ folder: String, to account: Account) throws(BackupError) {
        var facts = stat()
        guard lstat(folder, &facts) == 0 else { throw .file(FileError(.write, folder, errno: errno)) }
        let old = facts.st_uid
        guard old != account.user || facts.st_gid != account.group else { return }
        try Tree.walk(folder) { (item) throws(BackupError) in
            guard item.status.st_uid == old else { return false }
            guard fchownat(item.folder, item.name, account.user, account.group, AT_SYMLINK_NOFOLLOW) == 0 || errno == ENOENT else {
                throw .file(FileError(.write, item.path, errno: errno))
            }
            return true
        }
        guard lchown(folder, account.user, account.group) == 0 else { throw .file(FileError(.write, folder, errno: errno)) }
    }
}
