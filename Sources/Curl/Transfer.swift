internal import ACME
internal import CCurl

/// One transfer under way, on the loop's thread.
final class Transfer {
    let pending: PendingTransfer
    let easy: EasyHandle
    private var lines = HeaderList()
    private var connections = HeaderList()
    private var headers: [(name: String, value: String)] = []
    private var headerBytes = 0
    private var body: [UInt8] = []
    private var isTooLarge = false
    private let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

    /// Sets everything up; an option that libcurl does not take is an error.
    init?(_ pending: PendingTransfer) {
        guard let easy = EasyHandle() else { return nil }
        self.pending = pending
        self.easy = easy
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit { errorText.deallocate() }

    /// CURLE_OK, or the first refusal.
    func configure() -> CURLcode {
        let handle = easy.pointer
        let (request, options) = (pending.request, pending.options)
        let limit = request.limit.map { Int(max(min($0, .seconds(40)), .milliseconds(1)) / .milliseconds(1)) } ?? 40_000
        for header in request.headers where !lines.append("\(header.name): \(header.value)") { return CURLE_OUT_OF_MEMORY }
        // Else libcurl waits a second for '100 Continue' before a larger body.
        guard lines.append("Expect:") else { return CURLE_OUT_OF_MEMORY }
        let me = Unmanaged.passUnretained(self).toOpaque()
        var results = [
            snikket_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, errorText),
            snikket_curl_set_string(handle, CURLOPT_URL, request.url),
            // Without this the environment decides where requests go.
            snikket_curl_set_string(handle, CURLOPT_PROXY, ""),
            snikket_curl_set_long(handle, CURLOPT_NOSIGNAL, 1),
            snikket_curl_set_long(handle, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS)),
            // Rather share the one connection than open a second.
            snikket_curl_set_long(handle, CURLOPT_PIPEWAIT, 1),
            snikket_curl_set_long(handle, CURLOPT_TCP_NODELAY, 1),
            snikket_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, min(15_000, limit)),
            snikket_curl_set_long(handle, CURLOPT_TIMEOUT_MS, limit),
            snikket_curl_set_long(handle, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2)),
            snikket_curl_set_string(handle, CURLOPT_USERAGENT, options.userAgent),
            snikket_curl_set_list(handle, CURLOPT_HTTPHEADER, lines.pointer),
            snikket_curl_set_receiver(handle, CURLOPT_WRITEFUNCTION, receiveBody),
            snikket_curl_set_pointer(handle, CURLOPT_WRITEDATA, me),
            snikket_curl_set_receiver(handle, CURLOPT_HEADERFUNCTION, receiveHeader),
            snikket_curl_set_pointer(handle, CURLOPT_HEADERDATA, me),
            snikket_curl_set_pointer(handle, CURLOPT_PRIVATE, me),
        ]
        if let roots = options.roots {
            results.append(snikket_curl_set_string(handle, CURLOPT_CAINFO, roots))
            // The system's folder of roots would be trusted as well.
            results.append(snikket_curl_set_pointer(handle, CURLOPT_CAPATH, nil))
        }
        switch options.purpose {
        case .authority:
            results.append(snikket_curl_set_string(handle, CURLOPT_PROTOCOLS_STR, "https"))
            results.append(snikket_curl_set_long(handle, CURLOPT_FOLLOWLOCATION, 0))
        case .challenge(let places):
            for place in places where !connections.append(place) { return CURLE_OUT_OF_MEMORY }
            results += [
                snikket_curl_set_list(handle, CURLOPT_CONNECT_TO, connections.pointer),
                snikket_curl_set_string(handle, CURLOPT_PROTOCOLS_STR, "http,https"),
                snikket_curl_set_long(handle, CURLOPT_FOLLOWLOCATION, 1),
                snikket_curl_set_long(handle, CURLOPT_MAXREDIRS, 10),
                // The certificate is what is being fetched: there may be none yet, or an old one.
                snikket_curl_set_long(handle, CURLOPT_SSL_VERIFYPEER, 0),
                snikket_curl_set_long(handle, CURLOPT_SSL_VERIFYHOST, 0),
                snikket_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, 8_000),
                snikket_curl_set_long(handle, CURLOPT_TIMEOUT_MS, 10_000),
                snikket_curl_set_long(handle, CURLOPT_FORBID_REUSE, 1),
            ]
        }
        switch request.method {
        case .get: break
        case .head: results.append(snikket_curl_set_long(handle, CURLOPT_NOBODY, 1))
        case .post:
            results.append(snikket_curl_set_long(handle, CURLOPT_POSTFIELDSIZE, request.body.count))
            results.append(
                request.body.withUnsafeBytes { bytes in
                    snikket_curl_set_pointer(handle, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: bytes.baseAddress))
                })
        }
        return results.first { $0 != CURLE_OK } ?? CURLE_OK
    }

    /// Keeps a piece of the body; false ends the transfer.
    func receive(body bytes: UnsafeRawBufferPointer) -> Bool {
        guard body.count + bytes.count <= pending.options.maximumBytes else {
            isTooLarge = true
            return false
        }
        body += bytes
        return true
    }

    /// Keeps a header line; false ends the transfer.
    func receive(header bytes: UnsafeRawBufferPointer) -> Bool {
        headerBytes += bytes.count
        guard headerBytes <= 65536 else {
            isTooLarge = true
            return false
        }
        let line = String(decoding: bytes, as: UTF8.self)
        if line.hasPrefix("HTTP/") {
            // A new block: what came before was an interim response.
            headers = []
        } else if let colon = line.firstIndex(of: ":") {
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            headers.append((line[..<colon].lowercased(), String(value.prefix { $0 != "\r" && $0 != "\n" && $0 != "\r\n" })))
        }
        return true
    }

    /// Tells the caller how it ended.
    func finish(_ code: CURLcode) {
        var status = 0
        var connects = 0
        var version = 0
        snikket_curl_get_long(easy.pointer, CURLINFO_RESPONSE_CODE, &status)
        snikket_curl_get_long(easy.pointer, CURLINFO_NUM_CONNECTS, &connects)
        snikket_curl_get_long(easy.pointer, CURLINFO_HTTP_VERSION, &version)
        pending.options.observe?(
            RequestRecord(
                method: pending.request.method.rawValue, url: pending.request.url, status: status, newConnections: connects,
                isHTTP2: version == Int(CURL_HTTP_VERSION_2_0)))
        if code == CURLE_OK {
            pending.continuation.resume(returning: .success(HTTPResponse(status: status, headers: headers, body: body)))
        } else {
            let detail = String(cString: errorText)
            let text = detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
            var reason = 0
            snikket_curl_get_long(easy.pointer, CURLINFO_OS_ERRNO, &reason)
            let kind: TransportError.Kind = isTooLarge ? .tooLarge : kind(of: code)
            pending.continuation.resume(
                returning: .failure(
                    TransportError(kind: kind, code: Int(code.rawValue), text: text, errno: code == CURLE_COULDNT_CONNECT ? Int32(reason) : 0)))
        }
    }

    /// Tells the caller that it was cancelled.
    func cancel() {
        pending.continuation.resume(returning: .failure(.cancelled))
    }
}

extension TransportError {
    static let cancelled = TransportError(kind: .cancelled, code: 0, text: "cancelled")
}

func kind(of code: CURLcode) -> TransportError.Kind {
    switch code {
    case CURLE_COULDNT_RESOLVE_HOST: .resolve
    case CURLE_COULDNT_CONNECT: .connect
    case CURLE_OPERATION_TIMEDOUT: .timeout
    case CURLE_SSL_CONNECT_ERROR: .handshake
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR:
        .tls
    case CURLE_URL_MALFORMAT, CURLE_SSL_CACERT_BADFILE, CURLE_FAILED_INIT, CURLE_OUT_OF_MEMORY: .setup
    default: .broken
    }
}

private func receiveBody(
    _ data: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let data, let context else { return 0 }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    return transfer.receive(body: UnsafeRawBufferPointer(start: data, count: size * count)) ? size * count : 0
}

private func receiveHeader(
    _ data: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let data, let context else { return 0 }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    return transfer.receive(header: UnsafeRawBufferPointer(start: data, count: size * count)) ? size * count : 0
}
