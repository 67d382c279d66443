public import ACME
internal import COpenSSL
internal import Dispatch
internal import Glibc
internal import Synchronization

/// Answers tls-alpn-01 (RFC 8737): a TLS server that speaks `acme-tls/1` only, and shows for each name a certificate that holds the answer.
public final class TLSALPNResponder: ChallengeSolver {
    private let socket: ListeningSocket
    private let answers: AnswerCertificates
    public var type: String { "tls-alpn-01" }

    /// Listens at once.
    ///
    /// - Parameter address: `192.0.2.1:443`, `[::]:443`, `:443` for all addresses, or `unix:/path` behind a server that hands connections on.
    public init(listen address: String) throws(ChallengeError) {
        socket = try ListeningSocket(address)
        // OpenSSL writes to sockets whose other end may have gone.
        signal(SIGPIPE, SIG_IGN)
        answers = AnswerCertificates()
        let (descriptor, answers) = (socket.descriptor, answers)
        DispatchQueue(label: "tls-alpn-01").async { serve(listening: descriptor, answers: answers) }
    }

    deinit {
        answers.close()
        if let path = socket.path { unlink(path) }
        shutdown(socket.descriptor, Int32(SHUT_RDWR))
    }

    public func present(_ answer: ChallengeAnswer) async throws(ChallengeError) {
        do {
            let key = try PrivateKey()
            answers.set(answer.name, AnswerCertificates.Entry(certificate: try challengeCertificate(for: answer, key: key), key: key))
        } catch {
            throw .certificate(reason: ([error.operation] + error.reasons).joined(separator: ": "))
        }
    }

    public func remove(_ answer: ChallengeAnswer) async -> Bool {
        answers.set(answer.name, nil)
        return true
    }
}

/// The certificates that are shown at the moment; shared with the thread that shows them.
private final class AnswerCertificates: Sendable {
    struct Entry: Sendable {
        let certificate: Certificate
        let key: PrivateKey
    }
    private let state = Mutex<(entries: [String: Entry], isClosed: Bool)>(([:], false))
    func set(_ name: String, _ entry: Entry?) { state.withLock { $0.entries[name] = entry } }
    func entry(for name: String) -> Entry? { state.withLock { $0.entries[name] } }
    func close() { state.withLock { $0.isClosed = true } }
    var isClosed: Bool { state.withLock { $0.isClosed } }
}

/// Self-signed, for the name alone, with the digest in a critical acmeIdentifier (RFC 8737 §3).
private func challengeCertificate(for answer: ChallengeAnswer, key: PrivateKey) throws(OpenSSLError) -> Certificate {
    let digits = Array("0123456789abcdef")
    let value = answer.digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return try selfSigned(
        key: key, name: answer.name, now: Int(time(nil)),
        // An OCTET STRING: its tag, its length, the digest.
        acmeIdentifier: "critical,DER:04\(String(answer.digest.count, radix: 16))\(String(value))")
}

/// Serves one connection after the other until closed: a CA opens a handful, and each has five seconds.
private func serve(listening: Int32, answers: AnswerCertificates) {
    defer { close(listening) }
    while !answers.isClosed {
        var entry = pollfd(fd: listening, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, -1) >= 0 || errno == EINTR else { return }
        let descriptor = accept(listening, nil, nil)
        guard descriptor >= 0 else { continue }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        // Each on a thread of its own, so that a silent client holds nobody up.
        DispatchQueue.global().async {
            shakeHands(descriptor, answers)
            close(descriptor)
        }
    }
}

private func shakeHands(_ descriptor: Int32, _ answers: AnswerCertificates) {
    var limit = timeval(tv_sec: 5, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    defer { ERR_clear_error() }
    guard let context = SSL_CTX_new(TLS_server_method()) else { return }
    defer { SSL_CTX_free(context) }
    guard snikket_openssl_require_tls12(context) == 1 else { return }
    SSL_CTX_set_alpn_select_cb(context, chooseProtocol, nil)
    withExtendedLifetime(answers) {
        SSL_CTX_set_cert_cb(context, chooseCertificate, Unmanaged.passUnretained(answers).toOpaque())
        guard let session = SSL_new(context), SSL_set_fd(session, descriptor) == 1 else { return }
        defer { SSL_free(session) }
        // To the end: closing on what has not been read would break the connection, perhaps before our certificate has arrived.
        if SSL_accept(session) == 1, SSL_shutdown(session) == 0 { SSL_shutdown(session) }
    }
}

/// Takes `acme-tls/1` and nothing else.
private func chooseProtocol(
    _ session: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, _ length: UnsafeMutablePointer<UInt8>?,
    _ offered: UnsafePointer<UInt8>?, _ count: UInt32, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let offered, let chosen, let length else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    let wanted = Array("acme-tls/1".utf8)
    var at = 0
    while at < Int(count) {
        let size = Int(offered[at])
        guard at + 1 + size <= Int(count) else { break }
        if Array(UnsafeBufferPointer(start: offered + at + 1, count: size)) == wanted {
            chosen.pointee = offered + at + 1
            length.pointee = UInt8(size)
            return SSL_TLSEXT_ERR_OK
        }
        at += 1 + size
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}

/// The certificate for the name that is asked for; none ends the handshake.
private func chooseCertificate(_ session: OpaquePointer?, _ context: UnsafeMutableRawPointer?) -> Int32 {
    guard let context, let name = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name) else { return 0 }
    let answers = Unmanaged<AnswerCertificates>.fromOpaque(context).takeUnretainedValue()
    guard let entry = answers.entry(for: String(cString: name).lowercased()) else { return 0 }
    guard SSL_use_certificate(session, entry.certificate.handle.pointer) == 1, SSL_use_PrivateKey(session, entry.key.handle.pointer) == 1 else {
        return 0
    }
    return 1
}
