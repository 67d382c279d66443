extension LocalHTTPClient {
    /// The request methods that are used here (RFC 9110 §9).
    public enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"

        /// Whether sending it twice means the same as sending it once (RFC 9110 §9.2.2).
        var isIdempotent: Bool { self != .post && self != .patch }
    }

    /// A request. Host, Content-Length and Connection are added to its fields.
    public struct Request: Sendable {
        /// What to do.
        public var method: Method
        /// The path and query, percent-encoded: "/users?after=a%20b".
        public var path: String
        /// Further fields, in order.
        public var headers: [(name: String, value: String)]
        /// The content; none when empty.
        public var body: [UInt8]

        public init(method: Method = .get, path: String, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
            self.method = method
            self.path = path
            self.headers = headers
            self.body = body
        }
    }

    /// A whole response.
    public struct Response: Sendable {
        /// The status code: 200, 404.
        public var status: Int
        /// Its fields, in order, names as sent.
        public var headers: [(name: String, value: String)]
        /// The content.
        public var body: [UInt8]

        public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
            self.status = status
            self.headers = headers
            self.body = body
        }

        /// The first field of that name, case-insensitive; nil when there is none.
        public func header(_ name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }
    }
}
