import ACME
import CertificateStore
import DNS
import Glibc
import OpenSSL

extension Sight.Fault {
    /// What it says about the server.
    var verdict: LookAnswer.Verdict {
        switch self {
        case .connection(let error): error.isOurs ? .unasked : .bad
        // What a web server says that has no answer of the one behind it.
        case .status(502), .status(503), .status(504): .bad
        case .status, .noHTML: .behind
        case .noSCRAM, .loginRefused, .noALPN, .refused, .noRelay, .open: .bad
        }
    }

    /// Why, in words.
    var words: String {
        switch self {
        case .connection(let error): error.words
        case .noSCRAM(let offered):
            "it offers no way to log in with a password\(offered.isEmpty ? "" : ", only \(offered.prefix(8).map(printable).joined(separator: ", "))")"
        case .loginRefused(let condition): "nobody can log in (\(printable(condition)))"
        case .noALPN: "it does not agree to speak XMPP at once"
        case .status(let status): "it answered with the HTTP status \(status)"
        case .noHTML: "it answered something that is no web page"
        case .refused(401): "it does not take the credentials that the chat server hands out (401)"
        case .refused(let code): "it gives no relay address (error \(code))"
        case .noRelay: "its answer holds no relay address"
        case .open: "it relays for anybody, without credentials"
        }
    }
}

extension ProbeError {
    /// Why, in words.
    var words: String {
        switch self {
        case .badAddress(let text): "'\(text)' is no address with a port"
        case .connect(let errno): systemWords(errno)
        case .timedOut: "no answer in time"
        case .closed: "the server closed the connection"
        case .noStartTLS: "the XMPP stream offers no STARTTLS"
        case .streamError(let condition): "the server ends the stream: \(condition)"
        case .nonsense: "the server answers something that is not its protocol"
        case .tls(let error): ([error.operation] + error.reasons).joined(separator: ": ")
        }
    }

    /// Whether it is this machine that could not ask: it has no more sockets, no memory, no way there, or a firewall of its own.
    fileprivate var isOurs: Bool {
        switch self {
        case .badAddress: true
        case .connect(let errno):
            [EMFILE, ENFILE, ENOMEM, ENOBUFS, EAFNOSUPPORT, EADDRNOTAVAIL, EACCES, EPERM, ENETUNREACH, ENETDOWN].contains(errno)
        case .timedOut, .closed, .noStartTLS, .streamError, .nonsense, .tls: false
        }
    }
}

private func systemWords(_ errno: Int32) -> String { words(errno) }
