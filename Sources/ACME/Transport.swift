/// What carries requests to the certificate authority. Implemented by `Curl`; by a scripted one in tests.
public protocol Transport: Sendable {
    /// Sends one request and waits for the whole response. Any number may be under way at the same time; they share connections.
    ///
    /// Redirects are not followed. Cancelling the task ends the transfer.
    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse
}

/// A request.
public struct HTTPRequest: Sendable, Equatable {
    /// The methods that ACME uses (RFC 8555 §6.3: everything but the directory and nonces is POST).
    public enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
    }
    public var method: Method
    public var url: String
    /// Name and value.
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]
    /// How long it may take, its answer included; nil for as long as the transport permits.
    public var limit: Duration?

    public init(
        _ method: Method, _ url: String, headers: [(name: String, value: String)] = [], body: [UInt8] = [], limit: Duration? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.limit = limit
    }

    public static func == (left: HTTPRequest, right: HTTPRequest) -> Bool {
        left.method == right.method && left.url == right.url && left.body == right.body
            && left.headers.elementsEqual(right.headers, by: ==)
    }
}

/// A response.
public struct HTTPResponse: Sendable {
    public var status: Int
    /// Names in lower case, in the order of arrival.
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]

    public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The first value of a header; the name in lower case.
    public func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value
    }
}

/// Why no response arrived.
public struct TransportError: Error, Sendable, Equatable {
    /// What to tell apart: it decides what a person is advised.
    public enum Kind: Sendable, Equatable {
        /// The host name has no address.
        case resolve
        /// Nobody answers there.
        case connect
        /// The server's certificate was refused.
        case tls
        /// The TLS handshake failed: the server may not speak TLS, or the connection broke.
        case handshake
        /// It took too long.
        case timeout
        /// The response is larger than any honest one.
        case tooLarge
        /// The connection broke, or what arrived is no HTTP.
        case broken
        /// The request could not even be made: a bad URL, an unreadable CA bundle.
        case setup
        case cancelled
    }
    public var kind: Kind
    /// The library's own number for it.
    public var code: Int
    /// The library's own words.
    public var text: String
    /// Why a connection could not be made, where the system says so; else 0.
    public var errno: Int32

    public init(kind: Kind, code: Int, text: String, errno: Int32 = 0) {
        self.errno = errno
        self.kind = kind
        self.code = code
        self.text = text
    }
}
