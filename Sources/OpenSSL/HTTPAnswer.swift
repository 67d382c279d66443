/// The head of an HTTP answer (RFC 9112).
struct HTTPAnswer {
    var status: Int
    var isHTML: Bool

    init(to method: String, _ path: String, host: String, over connection: borrowing some ByteStream & ~Copyable) throws(ProbeError) {
        let request = "\(method) \(path) HTTP/1.1\r\nHost: \(host)\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        try connection.write(Array(request.utf8))
        var head: [UInt8] = []
        while head.count < 65536 {
            head += try connection.read()
            let lines = head.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            // An empty line, whole or as far as it has come, ends the head.
            if let end = lines.dropLast().firstIndex(where: { $0 == [UInt8(ascii: "\r")] }) {
                self = try Self(lines[..<end].map { String(decoding: $0.dropLast(), as: UTF8.self) })
                return
            }
        }
        throw .nonsense
    }

    private init(_ lines: [String]) throws(ProbeError) {
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else { throw .nonsense }
        self.status = status
        isHTML = lines.contains { $0.lowercased().hasPrefix("content-type: text/html") }
    }
}
