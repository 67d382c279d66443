import DurableFiles
import HTTPTypes
import Hummingbird

/// Styles, the script and the icon: few and small, so they are kept in memory. Their addresses change with their content.
struct StaticFiles: Sendable {
    private struct File: Sendable {
        var content: ByteBuffer
        var type: String
        var version: String
    }
    private let files: [String: File]

    private static let types = [
        "style.css": "text/css; charset=utf-8", "copy.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml",
    ]

    init(folder: String) throws(PortalError) {
        var files: [String: File] = [:]
        for (name, type) in Self.types {
            guard let bytes = try? DurableFiles.File.read("\(folder)/\(name)") else { throw .unreadable(path: "\(folder)/\(name)") }
            files[name] = File(content: ByteBuffer(bytes: bytes), type: type, version: Self.fingerprint(of: bytes))
        }
        self.files = files
    }

    /// The address that pages use.
    func address(of name: String) -> String {
        "/static/\(name)?v=\(files[name]?.version ?? "")"
    }

    /// The file, or 304 when the browser has it (RFC 9110 §13.1.2); nil when there is none.
    func response(to request: Request, name: String) -> Response? {
        guard let file = files[name] else { return nil }
        let tag = "\"\(file.version)\""
        // Only the address with the right version stays the same for ever.
        let isVersioned = request.uri.query == "v=\(file.version)"
        let headers: HTTPFields = [
            .contentType: file.type, .eTag: tag,
            .cacheControl: isVersioned ? "public, max-age=31536000, immutable" : "public, max-age=300",
        ]
        let known = request.headers[.ifNoneMatch] ?? ""
        if known == "*" || known.contains(tag) { return Response(status: .notModified, headers: headers) }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: file.content))
    }

    /// FNV-1a: tells versions apart, and is no promise against an attacker, who could not choose these files.
    private static func fingerprint(of bytes: [UInt8]) -> String {
        String(bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }, radix: 16)
    }
}
