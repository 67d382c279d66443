import CertificateStore
import DurableFiles
import Glibc
import OpenSSL

/// Reads a file of the person's, at most a mebibyte; `-` is standard input.
func read(_ path: String, what: String) throws(CertificateFailure) -> [UInt8] {
    do throws(FileError) {
        return path == "-" ? try File.read(descriptor: STDIN_FILENO, named: "-") : try File.read(path, waiting: true)
    } catch {
        throw CertificateFailure(
            kind: .configuration, error: "cannot read the \(what)", cause: "\(path): \(error.words)",
            try: PersonalFile.advice(on: path, errno: error.errno))
    }
}

/// Reads the first line of standard input, at most 4096 bytes; what follows is somebody else's to read.
func lineOfStandardInput(what: String) throws(CertificateFailure) -> [UInt8] {
    var line: [UInt8] = []
    var byte: UInt8 = 0
    while line.count < 4096 {
        let count = Glibc.read(STDIN_FILENO, &byte, 1)
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { throw CertificateFailure(kind: .configuration, error: "cannot read the \(what)", cause: words(errno)) }
        if count == 0 || byte == UInt8(ascii: "\n") { break }
        line.append(byte)
    }
    return line
}

/// Reads a key of ours, or makes it: mode 0600 from the first moment, on the disk before it is used.
func loadOrMakeKey(at path: String) throws(CertificateFailure) -> PrivateKey {
    do {
        if access(path, F_OK) == 0 {
            return try PrivateKey(pem: try read(path, what: "key"))
        }
        let key = try PrivateKey()
        try File.write(try key.pem(), to: path, mode: 0o600)
        return key
    } catch let error as OpenSSLError {
        throw CertificateFailure(describing: error, doing: "use the key \(path)")
    } catch let error as FileError {
        throw CertificateFailure(describing: error)
    } catch let failure as CertificateFailure {
        throw failure
    } catch {
        throw CertificateFailure(kind: .local, error: "cannot use the key \(path)", cause: "\(error)")
    }
}

/// Host names as they go into a certificate: lower case, ASCII, each once.
func validated(_ names: [String]) throws(CertificateFailure) -> [String] {
    var seen: [String] = []
    for name in names.map({ $0.lowercased() }) where !seen.contains(name) {
        guard isSubjectName(name) else {
            throw CertificateFailure(
                kind: .configuration, error: "'\(name)' is no host name", cause: "letters, digits, hyphens and dots are possible",
                try: "give the name in its ASCII form")
        }
        seen.append(name)
    }
    guard !seen.isEmpty else {
        throw CertificateFailure(kind: .configuration, error: "no name was given", cause: nil, try: "add --name NAME")
    }
    return seen
}

extension Certificate {
    var record: CertificateRecord {
        CertificateRecord(names: names, issuer: issuer, serial: serial, notBefore: notBefore, notAfter: notAfter)
    }
}
