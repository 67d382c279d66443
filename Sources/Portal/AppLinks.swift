/// Where the apps are. One that comes from Google Play is told the invitation by the store (`referrer`), so that it opens by itself.
struct AppLinks {
    let play: String
    let fdroid = "https://f-droid.org/packages/org.snikket.android/"
    let apple = "https://apps.apple.com/app/snikket/id1545164189"

    /// - Parameter uri: the invitation's `xmpp:` link; nil when there is none.
    init(uri: String?) {
        let page = "https://play.google.com/store/apps/details?id=org.snikket.android"
        play = uri.map { "\(page)&referrer=\(percentEncoded($0))" } ?? page
    }
}

/// A text as part of a query (RFC 3986 §3.4): everything but unreserved characters is encoded.
func percentEncoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var result: [UInt8] = []
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
            result.append(byte)
        default:
            result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: result, as: UTF8.self)
}
