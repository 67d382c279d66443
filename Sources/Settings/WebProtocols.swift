/// What the web server speaks itself.
enum WebProtocols: String, Sendable {
    case both = "http https"
    /// Another server in front of it speaks TLS.
    case http
    case https
}

extension WebProtocols: OptionValue {}

extension ValueKind where Value == WebProtocols {
    /// One or both of them, in any order.
    static var webProtocols: Self {
        Self(name: "choice", bounds: "http https, http or https") { text throws(Problem.Kind) in
            switch Set(text.lowercased().split(whereSeparator: { $0 == " " || $0 == "," })) {
            case ["http", "https"]: return .both
            case ["http"]: return .http
            case ["https"]: return .https
            default: throw .notOneOf(text, ["http https", "http", "https"])
            }
        }
    }
}
