import ACME
import CertificateStore
import DurableFiles
import FoundationEssentials
import Glibc
import OpenSSL

/// The account at one CA: its key (mode 0600) and its URL, in a folder of its own below the state folder.
struct Account {
    let folder: String

    /// - Parameter directory: the CA's directory URL; each CA has its own account.
    init(state: String, directory: String) {
        let name = String(directory.drop { $0 != ":" }.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".") ? $0 : "-" })
        folder = state + "/" + name.drop { $0 == "-" }.prefix(120)
    }

    private struct Known: Codable {
        var directory: String
        var url: String
        var contact: String?
    }

    /// The key, made when there is none.
    func key() throws(CertificateFailure) -> AccountKey {
        do {
            try Folder.make(folder, mode: 0o700, followingLinks: true)
            return try AccountKey(try loadOrMakeKey(at: folder + "/account.pem"))
        } catch let failure as CertificateFailure {
            throw failure
        } catch {
            throw CertificateFailure(describing: error)
        }
    }

    /// The key, nil when there is none.
    func existingKey() throws(CertificateFailure) -> AccountKey? { try load("account.pem") }

    /// A key that the account may have been given by a run that was interrupted.
    func nextKey() throws(CertificateFailure) -> AccountKey? { try load("account-next.pem") }

    /// Keeps the key that the account is to have.
    func keep(nextKey key: PrivateKey) throws { try File.write(try key.pem(), to: folder + "/account-next.pem", mode: 0o600) }

    /// The CA has taken the next key: it is the account's now.
    func adoptNextKey() throws(FileError) {
        guard rename(folder + "/account-next.pem", folder + "/account.pem") == 0 else {
            throw FileError(.write, folder + "/account.pem", errno: errno)
        }
        try Folder.flush(folder)
    }

    /// The CA does not know the next key.
    func dropNextKey() throws(FileError) {
        unlink(folder + "/account-next.pem")
        try Folder.flush(folder)
    }

    /// The account has ended: its key is of no use any more.
    func remove() throws(FileError) {
        for name in ["account.json", "account.pem"] { unlink(folder + "/" + name) }
        try Folder.flush(folder)
    }

    private func load(_ name: String) throws(CertificateFailure) -> AccountKey? {
        let path = folder + "/" + name
        guard access(path, F_OK) == 0 else { return nil }
        do {
            return try AccountKey(try PrivateKey(pem: try read(path, what: "account's key")))
        } catch let failure as CertificateFailure {
            throw failure
        } catch {
            throw CertificateFailure(describing: error)
        }
    }

    /// The account's URL from an earlier run. Only a hint: the CA may have forgotten it, and that is found out.
    func url(directory: String, contact: String?) -> String? {
        guard let bytes = try? read(folder + "/account.json", what: "account"),
            let known = try? JSONDecoder().decode(Known.self, from: Data(bytes)),
            known.directory == directory, known.contact == contact
        else { return nil }
        return known.url
    }

    /// Keeps the URL for the next time.
    func keep(url: String, directory: String, contact: String?) throws(FileError) {
        guard let data = try? JSONEncoder().encode(Known(directory: directory, url: url, contact: contact)) else { return }
        try File.write(Array(data), to: folder + "/account.json", mode: 0o600)
    }
}
