import HTTPTypes
import Hummingbird

/// Ties a form to the browser it was shown in: the same random value in a cookie and in the form. Another site can make a
/// browser send the form, but cannot know or set the cookie (`__Host-`, RFC 6265bis §4.1.3.2).
struct FormCookie: Sendable {
    let value: String

    private static let name = "__Host-form"

    /// A new one, 128 random bits.
    init() {
        var random = SystemRandomNumberGenerator()
        value = (0..<2).map { _ in
            let digits = String(random.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    /// The browser's; nil when it has none.
    init?(_ request: Request) {
        guard let value = request.cookies[Self.name]?.value, value.utf8.count == 32, value.allSatisfy(\.isHexDigit) else { return nil }
        self.value = value
    }

    /// Whether the form was shown in the cookie's browser. Takes as long for a wrong guess as for a good one.
    func matches(_ formToken: String) -> Bool {
        guard formToken.utf8.count == value.utf8.count else { return false }
        return zip(formToken.utf8, value.utf8).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    var cookie: Cookie {
        Cookie(name: Self.name, value: value, path: "/", secure: true, httpOnly: true, sameSite: .lax)
    }
}

extension Request {
    /// What the browser says about where a form came from (Fetch Metadata). Browsers that say nothing pass: the cookie still counts.
    /// The Origin field is of no use here, because pages without a referrer have the origin `null`.
    var isFromOurOwnPages: Bool {
        guard let name = HTTPField.Name("Sec-Fetch-Site"), let site = headers[name] else { return true }
        return site == "same-origin" || site == "none"
    }
}
