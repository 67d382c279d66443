import DurableFiles
import Glibc
public import Settings

/// The secrets that our servers share. Made once, kept in ``Locations/secrets``.
public struct Secrets: Sendable, Equatable {
    /// What the portal and the commands show to the chat server's JSON API.
    public var api: String
    /// What the chat server makes TURN credentials with (`use-auth-secret` in coturn).
    public var turn: String

    public init(api: String, turn: String) {
        self.api = api
        self.turn = turn
    }

    /// New ones: 32 random bytes each, in hexadecimal.
    public static func random() -> Secrets {
        Secrets(api: randomHexadecimal(), turn: randomHexadecimal())
    }

    /// The stored secrets; those that are missing are made, each file 0600 in a folder 0700.
    public static func loadOrCreate(in locations: Locations) throws(ServerConfigsError) -> Secrets {
        if mkdir(locations.secrets, 0o700) != 0, errno != EEXIST { throw .file(FileError(.write, locations.secrets, errno: errno)) }
        return Secrets(api: try stored(apiFile(in: locations), create: true), turn: try stored(turnFile(in: locations), create: true))
    }

    /// The stored secrets.
    ///
    /// - Throws: ``ServerConfigsError/file(_:)`` with ENOENT when there are none yet.
    public static func load(from locations: Locations) throws(ServerConfigsError) -> Secrets {
        Secrets(api: try stored(apiFile(in: locations), create: false), turn: try stored(turnFile(in: locations), create: false))
    }

    /// Those of the stored secrets that are here. In a container these are the ones that its server shares with another; what is missing it has
    /// no use for, and gets one that nobody else knows.
    public static func present(in locations: Locations) throws(ServerConfigsError) -> Secrets {
        func secret(_ path: String) throws(ServerConfigsError) -> String {
            do throws(ServerConfigsError) {
                return try stored(path, create: false)
            } catch {
                guard case .file(let problem) = error, problem.errno == ENOENT else { throw error }
                return randomHexadecimal()
            }
        }
        return Secrets(api: try secret(apiFile(in: locations)), turn: try secret(turnFile(in: locations)))
    }

    /// The file of ``api``.
    public static func apiFile(in locations: Locations) -> String { locations.secrets + "/api" }
    /// The file of ``turn``.
    public static func turnFile(in locations: Locations) -> String { locations.secrets + "/turn" }

    private static func stored(_ path: String, create: Bool) throws(ServerConfigsError) -> String {
        do throws(ServerConfigsError) {
            let text = String(decoding: try File.own(path), as: UTF8.self)
            let secret = text.hasSuffix("\n") ? String(text.dropLast()) : text
            guard secret.utf8.count == 64, secret.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) else {
                throw .damagedSecret(path: path)
            }
            return secret
        } catch {
            guard create, case .file(let problem) = error, problem.errno == ENOENT else { throw error }
            let secret = randomHexadecimal()
            try onDisk { () throws(FileError) in try File.write(Array((secret + "\n").utf8), to: path, mode: 0o600) }
            return secret
        }
    }

    private static func randomHexadecimal() -> String {
        // getrandom(2), through the standard library.
        var kernel = SystemRandomNumberGenerator()
        let digits = Array("0123456789abcdef".utf8)
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &kernel) }
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
