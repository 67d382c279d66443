public import ACME
internal import CCurl

/// A message and where to hand it in (RFC 5321, RFC 6409).
public struct Mail: Sendable {
    /// `smtp://host:port` or `smtps://host:port`.
    public var server: String
    public var user: String?
    public var password: String?
    /// Whether a connection without TLS is refused (STARTTLS, RFC 3207).
    public var requiresTLS = true
    /// Whether the server's certificate has to be good.
    public var verifies = true
    /// An e-mail address.
    public var from: String
    /// An e-mail address.
    public var to: String
    /// The whole message (RFC 5322), lines ending with CR LF.
    public var message: [UInt8]

    public init(server: String, from: String, to: String, message: [UInt8]) {
        self.server = server
        self.from = from
        self.to = to
        self.message = message
    }

    /// Hands it in; returns when the server has taken it. At most a minute. Blocks.
    public func send() throws(TransportError) {
        guard curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK, let easy = EasyHandle() else { throw .setup }
        let handle = easy.pointer
        var recipients = HeaderList()
        guard recipients.append("<\(to)>") else { throw .setup }
        let source = Source(message)
        let text = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
        defer { text.deallocate() }
        text.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        var results = [
            snikket_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, text),
            snikket_curl_set_string(handle, CURLOPT_URL, server),
            snikket_curl_set_string(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps"),
            // Without this the environment decides where it goes.
            snikket_curl_set_string(handle, CURLOPT_PROXY, ""),
            snikket_curl_set_long(handle, CURLOPT_NOSIGNAL, 1),
            snikket_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, 15_000),
            snikket_curl_set_long(handle, CURLOPT_TIMEOUT_MS, 60_000),
            snikket_curl_set_long(handle, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2)),
            snikket_curl_set_long(handle, CURLOPT_USE_SSL, Int((requiresTLS ? CURLUSESSL_ALL : CURLUSESSL_NONE).rawValue)),
            snikket_curl_set_long(handle, CURLOPT_SSL_VERIFYPEER, verifies ? 1 : 0),
            snikket_curl_set_long(handle, CURLOPT_SSL_VERIFYHOST, verifies ? 2 : 0),
            snikket_curl_set_string(handle, CURLOPT_MAIL_FROM, "<\(from)>"),
            snikket_curl_set_list(handle, CURLOPT_MAIL_RCPT, recipients.pointer),
            snikket_curl_set_receiver(handle, CURLOPT_READFUNCTION, readMessage),
            snikket_curl_set_pointer(handle, CURLOPT_READDATA, Unmanaged.passUnretained(source).toOpaque()),
            snikket_curl_set_long(handle, CURLOPT_UPLOAD, 1),
        ]
        if let user {
            results.append(snikket_curl_set_string(handle, CURLOPT_USERNAME, user))
            results.append(snikket_curl_set_string(handle, CURLOPT_PASSWORD, password ?? ""))
        }
        guard results.allSatisfy({ $0 == CURLE_OK }) else { throw .setup }
        let code = withExtendedLifetime(source) { curl_easy_perform(handle) }
        guard code == CURLE_OK else {
            let detail = String(cString: text)
            throw TransportError(
                kind: kind(of: code), code: Int(code.rawValue), text: detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail)
        }
    }
}

/// What is left of a message.
private final class Source {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let piece = rest.prefix(buffer.count)
        buffer.copyBytes(from: piece)
        rest = rest.dropFirst(piece.count)
        return piece.count
    }
}

private func readMessage(_ buffer: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?) -> Int {
    guard let buffer, let context else { return 0 }
    return Unmanaged<Source>.fromOpaque(context).takeUnretainedValue().read(into: UnsafeMutableRawBufferPointer(start: buffer, count: size * count))
}

extension TransportError {
    fileprivate static let setup = TransportError(kind: .setup, code: 0, text: "libcurl cannot be used")
}
