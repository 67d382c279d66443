import CertificateStore
import DurableFiles
import Glibc

/// The person's file with accounts that were arranged with authorities beforehand (RFC 8555 §7.3.4): a line for each,
/// `DIRECTORY KEY-IDENTIFIER MAC-KEY`; `#` begins a comment.
struct ExternalAccountFile {
    let path: String

    struct Account: Equatable {
        var keyID: String
        /// Base64url, as the authority shows it.
        var key: String
    }

    /// The account at this authority; nil when the file has none for it.
    func account(at directory: String) throws(CertificateFailure) -> Account? {
        var facts = stat()
        guard stat(path, &facts) == 0 else { throw refusal(errno) }
        guard facts.st_mode & 0o077 == 0 else { throw refusal("others can read it; `chmod 600 \(path)` mends that") }
        let bytes: [UInt8]
        do throws(FileError) { bytes = try File.read(path) } catch { throw refusal(error.errno) }
        for (index, line) in String(decoding: bytes, as: UTF8.self).split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated()
        {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" })
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            guard words.count == 3, first.lowercased().hasPrefix("https://") else {
                throw refusal("line \(index + 1) is not a directory, a key identifier and a MAC key")
            }
            // A line that begins with a dash would be an option.
            guard !words[1].hasPrefix("-") else { throw refusal("line \(index + 1) has no key identifier") }
            if first == directory { return Account(keyID: String(words[1]), key: String(words[2])) }
        }
        return nil
    }

    private func refusal(_ errno: Int32) -> CertificateFailure {
        var failure = refusal(FileError(.read, path, errno: errno).words)
        failure.try = PersonalFile.advice(on: path, errno: errno)
        return failure
    }

    private func refusal(_ cause: String) -> CertificateFailure {
        CertificateFailure(
            kind: .configuration, error: "cannot use the accounts arranged with authorities", cause: "\(path): \(cause)",
            try: "give each authority a line: its directory, the key identifier and the MAC key; see `snikket config explain SNIKKET_ACME_EAB_FILE`")
    }
}
