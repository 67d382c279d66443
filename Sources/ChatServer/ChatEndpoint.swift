public import DurableFiles
import FoundationEssentials

/// Where the running chat server's API listens. `snikket up` writes it when the chat server is started, because the settings
/// alone do not tell: `snikket try` chooses its own ports.
public struct ChatEndpoint: Codable, Sendable, Equatable {
    /// The chat service's domain.
    public var domain: String
    /// Prosody's HTTP port on loopback.
    public var port: Int

    public init(domain: String, port: Int) {
        self.domain = domain
        self.port = port
    }

    /// The file's name in the run directory.
    public static let fileName = "chat.json"

    /// Reads what `snikket up` wrote.
    ///
    /// - Parameter path: the file.
    /// - Returns: nil when there is no such file: the appliance is not running.
    /// - Throws: ``FileError``; `EBADMSG` when the file is of another form.
    public static func read(from path: String) throws(FileError) -> ChatEndpoint? {
        guard let bytes = try File.readIfThere(path) else { return nil }
        do {
            return try JSONDecoder().decode(ChatEndpoint.self, from: Data(bytes))
        } catch {
            throw .malformed(path)
        }
    }

    /// Writes it, in place of what was there, readable for this user only.
    ///
    /// - Throws: ``FileError``; `EBADMSG` when the file is of another form.
    public func write(to path: String) throws(FileError) {
        // A full disk is no reason not to start again as before.
        if let known = try? Self.read(from: path), known == self { return }
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            try File.write(Array(try encoder.encode(self)), to: path, mode: 0o600)
        } catch let error as FileError {
            throw error
        } catch {
            throw .malformed(path)
        }
    }
}
