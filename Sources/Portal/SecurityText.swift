import Glibc
import HTTPTypes
import Hummingbird

extension Response {
    /// Where security problems are reported, for programs and people who look (RFC 9116).
    ///
    /// - Parameters:
    ///   - securityContact: an e-mail address.
    ///   - now: seconds since 1970. What is said is true for a month: settings change, and Expires is demanded (§2.5.5).
    init(securityContact: String, now: Int) {
        var end = now + 30 * 86_400
        var parts = tm()
        gmtime_r(&end, &parts)
        // The one character of an address that means something else in a URI (RFC 6068 §2).
        let address = securityContact.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%25")
        let fields = [Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday)].map { $0 < 10 ? "0\($0)" : "\($0)" }
        let text = "Contact: mailto:\(address)\nExpires: \(fields.joined(separator: "-"))T00:00:00Z\n"
        self.init(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "public, max-age=86400"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
