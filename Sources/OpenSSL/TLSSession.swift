internal import COpenSSL
internal import Glibc

/// TLS as a client, over a connection whose deadline it keeps; owned.
struct TLSSession: ~Copyable, ByteStream {
    /// Which roots a certificate is held against. The handshake goes on whatever it is: the verdict is part of the answer.
    enum Roots {
        /// None: nobody asks for ``refusal``. Reading the system's takes longer than a handshake.
        case none
        case system
        /// A PEM file.
        case file(String)
    }

    private let session: OpaquePointer
    private let connection: Connection

    /// Shakes hands.
    ///
    /// - Parameters:
    ///   - name: the host name: sent as SNI, and compared with the certificate.
    ///   - protocols: what is offered by ALPN (RFC 7301); none when empty.
    static func established(
        over connection: consuming Connection, name: String, protocols: [String] = [], trusting roots: Roots = .none
    ) throws(ProbeError) -> TLSSession {
        let descriptor = connection.descriptor
        let pointer = try ours { () throws(OpenSSLError) in try prepared(descriptor, name, protocols, roots) }
        let session = TLSSession(session: pointer, connection: connection)
        try session.untilDone("TLS handshake") { SSL_connect($0) }
        return session
    }

    private init(session: OpaquePointer, connection: consuming Connection) {
        self.session = session
        self.connection = connection
    }

    deinit {
        SSL_shutdown(session)
        SSL_free(session)
        ERR_clear_error()
    }

    private static func prepared(
        _ descriptor: Int32, _ name: String, _ protocols: [String], _ roots: Roots
    ) throws(OpenSSLError) -> OpaquePointer {
        let context = try some(SSL_CTX_new(TLS_client_method()), "SSL_CTX_new")
        // The session keeps it as long as it needs it.
        defer { SSL_CTX_free(context) }
        try succeed(snikket_openssl_require_tls12(context), "SSL_CTX_set_min_proto_version")
        switch roots {
        case .none: break
        case .system: try succeed(SSL_CTX_set_default_verify_paths(context), "SSL_CTX_set_default_verify_paths")
        case .file(let path): try succeed(SSL_CTX_load_verify_file(context, path), "reading \(path)")
        }
        SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
        let session = try some(SSL_new(context), "SSL_new")
        do throws(OpenSSLError) {
            try succeed(snikket_openssl_set_server_name(session, name), "SSL_set_tlsext_host_name")
            try succeed(SSL_set1_host(session, name), "SSL_set1_host")
            let offered = protocols.flatMap { [UInt8(truncatingIfNeeded: $0.utf8.count)] + Array($0.utf8) }
            // The one function that answers 0 for success.
            guard offered.isEmpty || SSL_set_alpn_protos(session, offered, UInt32(offered.count)) == 0 else {
                throw OpenSSLError("SSL_set_alpn_protos")
            }
            try succeed(SSL_set_fd(session, descriptor), "SSL_set_fd")
        } catch {
            SSL_free(session)
            throw error
        }
        return session
    }

    /// Repeats what OpenSSL wants repeated when the socket is ready.
    @discardableResult
    private func untilDone(_ operation: String, _ body: (OpaquePointer) -> Int32) throws(ProbeError) -> Int32 {
        while true {
            let result = body(session)
            if result > 0 { return result }
            switch SSL_get_error(session, result) {
            case SSL_ERROR_WANT_READ: try connection.wait(for: POLLIN)
            case SSL_ERROR_WANT_WRITE: try connection.wait(for: POLLOUT)
            case SSL_ERROR_ZERO_RETURN: throw .closed
            case SSL_ERROR_SYSCALL where ERR_peek_error() == 0: throw .closed
            default: throw .tls(OpenSSLError(operation))
            }
        }
    }

    func write(_ bytes: [UInt8]) throws(ProbeError) {
        // OpenSSL takes all of it, or wants to be asked again with the same bytes.
        try untilDone("SSL_write") { SSL_write($0, bytes, Int32(bytes.count)) }
    }

    func read() throws(ProbeError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = try untilDone("SSL_read") { SSL_read($0, &buffer, Int32(buffer.count)) }
        return Array(buffer.prefix(Int(count)))
    }

    /// The certificate that the server showed.
    func certificate() throws(ProbeError) -> Certificate {
        try ours { () throws(OpenSSLError) in try Certificate(some(SSL_get1_peer_certificate(session), "SSL_get1_peer_certificate")) }
    }

    /// Why a client that trusts the roots would refuse the certificate; nil when it would not.
    var refusal: String? {
        let verdict = Int32(SSL_get_verify_result(session))
        return verdict == X509_V_OK ? nil : verificationText(verdict)
    }

    /// What was agreed on by ALPN.
    var agreedProtocol: String? {
        var start: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(session, &start, &count)
        return start.map { String(decoding: UnsafeBufferPointer(start: $0, count: Int(count)), as: UTF8.self) }
    }
}

/// What OpenSSL refuses is told as every other reason.
func ours<Result>(_ body: () throws(OpenSSLError) -> Result) throws(ProbeError) -> Result {
    do throws(OpenSSLError) {
        return try body()
    } catch {
        throw .tls(error)
    }
}
