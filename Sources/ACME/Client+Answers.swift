internal import DNS
internal import FoundationEssentials

/// What an answer means.
extension Client {
    nonisolated func decode<Value: Decodable>(_ type: Value.Type, from response: HTTPResponse, url: String) throws(ACMEError) -> Value {
        if let type = response.mediaType, type != "application/json", !type.hasSuffix("+json") {
            throw .unexpected(url: url, status: response.status, what: .contentType(printable(type)))
        }
        do {
            return try JSONDecoder().decode(type, from: Data(response.body))
        } catch DecodingError.keyNotFound(let key, _) {
            throw .unexpected(url: url, status: response.status, what: .missing(key.stringValue))
        } catch {
            throw .unexpected(url: url, status: response.status, what: .notJSON)
        }
    }

    /// What a response that is no success means.
    nonisolated func failure(_ response: HTTPResponse, url: String) -> ACMEError {
        let after = retryAfter(response.header("retry-after"), now: time.date())
        if (300..<400).contains(response.status) { return .unexpected(url: url, status: response.status, what: .redirect) }
        if let problem = try? JSONDecoder().decode(Problem.self, from: Data(response.body)) {
            return .problem(problem, status: response.status, url: url, retryAfter: after)
        }
        guard response.status >= 400 else { return .unexpected(url: url, status: response.status, what: .status) }
        // A gateway in front of the CA: no problem document, but the status and Retry-After count all the same.
        return .problem(Problem(type: "about:blank", detail: ""), status: response.status, url: url, retryAfter: after)
    }
}

extension HTTPResponse {
    /// The media type in lower case, without its parameters; nil when none is given.
    var mediaType: String? {
        header("content-type").map { $0.prefix { $0 != ";" && $0 != "," }.filter { $0 != " " && $0 != "\t" }.lowercased() }
    }
}

/// Whether a URL can be asked: https, visible ASCII, a host and nothing that hides it (RFC 8555 §6.1). What a CA sends as one may be anything.
func isLink(_ url: String) -> Bool {
    guard url.utf8.count <= 4096, url.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != 0x22 && $0 != 0x5c }),
        url.prefix(8).lowercased() == "https://"
    else { return false }
    let host = url.dropFirst(8).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    return !host.isEmpty && !host.contains("@")
}
