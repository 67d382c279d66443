public import Settings

/// A file of a server's configuration: rendered, not yet written.
public struct RenderedFile: Sendable, Equatable {
    /// Where it belongs. Absolute.
    public var path: String
    /// Its bytes, UTF-8.
    public var contents: [UInt8]
    /// Its permissions, 0600 or 0644; 0640 for the former when the server that reads it is another user.
    public var mode: UInt32
    /// The server that reads it.
    public var service: Service
    /// Whether a secret is in it, so that it must not be shown.
    public var isSecret: Bool

    /// The contents as text.
    public var text: String { String(decoding: contents, as: UTF8.self) }

    /// - Parameters:
    ///   - path: absolute.
    ///   - isSecret: whether only its owner may read it.
    public init(path: String, text: String, service: Service, isSecret: Bool = false) {
        self.path = path
        contents = Array(text.utf8)
        mode = isSecret ? 0o600 : 0o644
        self.service = service
        self.isSecret = isSecret
    }
}
