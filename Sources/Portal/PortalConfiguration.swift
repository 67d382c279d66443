public import DurableFiles
import FoundationEssentials
public import Settings

/// What the portal has to know: a small file that `snikket up` writes for the portal's user, because a secret has no
/// place on a command line.
public struct PortalConfiguration: Codable, Sendable, Equatable {
    /// The chat service's domain.
    public var domain: String
    /// What people see as the service's name.
    public var siteName: String
    /// The Unix socket to listen on.
    public var socket: String
    /// The chat server's HTTP port on loopback.
    public var apiPort: Int
    /// The chat server's HTTP socket, when it cannot be reached on loopback; nil when it can.
    public var apiSocket: String?
    /// The secret of the chat server's API.
    public var apiSecret: String
    /// The folder with the pages, styles and languages.
    public var templates: String
    /// The terms of service; nil when there are none.
    public var termsURI: String?
    /// The privacy policy; nil when there is none.
    public var privacyURI: String?
    /// Where security problems are reported; nil when that is not published.
    public var securityEmail: String?

    public init(
        domain: String, siteName: String, socket: String, apiPort: Int, apiSecret: String, templates: String,
        termsURI: String? = nil, privacyURI: String? = nil, securityEmail: String? = nil
    ) {
        self.domain = domain
        self.siteName = siteName
        self.socket = socket
        self.apiPort = apiPort
        self.apiSecret = apiSecret
        self.templates = templates
        self.termsURI = termsURI
        self.privacyURI = privacyURI
        self.securityEmail = securityEmail
    }

    /// What follows from the settings.
    ///
    /// - Parameters:
    ///   - settings: the person's.
    ///   - locations: where the socket and the templates lie.
    ///   - apiSecret: the secret of the chat server's API.
    public init(settings: Settings, locations: Locations, apiSecret: String) {
        self.init(
            domain: settings.domain, siteName: settings.siteName, socket: locations.portalSocket,
            apiPort: settings.ports.internalHTTP, apiSecret: apiSecret, templates: locations.templates + "/portal",
            termsURI: settings.termsURI, privacyURI: settings.privacyURI, securityEmail: settings.securityEmail)
    }

    /// Reads the file.
    ///
    /// - Throws: ``FileError``; `EBADMSG` when the file is of another form.
    public static func read(from path: String) throws(FileError) -> PortalConfiguration {
        let bytes = try File.read(path)
        do {
            return try JSONDecoder().decode(PortalConfiguration.self, from: Data(bytes))
        } catch {
            throw .malformed(path)
        }
    }

    /// Writes the file, readable for its owner only: whoever calls this gives it to the portal's user.
    ///
    /// - Throws: ``FileError``.
    public func write(to path: String) throws(FileError) {
        try File.write(encoded(), to: path, mode: 0o600)
    }

    /// The file's content, for whoever writes files in its own way.
    public func encoded() -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        // Strings and a number: there is nothing that JSON could not hold.
        return (try? encoder.encode(self)).map(Array.init) ?? []
    }
}
