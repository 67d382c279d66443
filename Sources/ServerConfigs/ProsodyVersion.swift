import DurableFiles
import Settings

/// A version of Prosody, as far as it matters.
struct ProsodyVersion: Equatable {
    var major: Int
    var minor: Int

    /// What everything here is written for.
    static let needed = ProsodyVersion(major: 13, minor: 0)
    /// What installs it where the distribution's own is older (Debian 12).
    static let install = "apt-get install -t bookworm-backports prosody prosody-modules"

    /// Reads `13.0.1`; nil for anything without two numbers, such as a nightly build.
    init?(_ text: String) {
        let numbers = text.split(whereSeparator: { !$0.isNumber }).prefix(2).compactMap { Int($0) }
        guard numbers.count == 2 else { return nil }
        (major, minor) = (numbers[0], numbers[1])
    }

    init(major: Int, minor: Int) { (self.major, self.minor) = (major, minor) }

    var isNewEnough: Bool { (major, minor) >= (Self.needed.major, Self.needed.minor) }
}

extension ServerPrograms {
    /// Refuses a Prosody that the configuration is not written for.
    ///
    /// - Returns: its version.
    /// - Throws: ``ServerConfigsError/tooOld(_:version:needed:install:)``, ``ServerConfigsError/unknownVersion(_:said:)``.
    @discardableResult
    public func checkProsodyVersion() async throws(ServerConfigsError) -> String {
        let text: String
        if let contents = try? File.own(prosodyVersionFile) {
            text = String(decoding: contents.prefix { $0 != 0x0A }, as: UTF8.self)
        } else {
            // The first line is `Prosody 13.0.1`.
            let said = try await Checker(service: .prosody, seconds: 10).run(prosodyctl, ["about"], as: nil).lines
            text = String(said.first { $0.hasPrefix("Prosody ") }?.dropFirst(8) ?? "")
        }
        guard let version = ProsodyVersion(text) else { throw .unknownVersion(.prosody, said: text) }
        guard version.isNewEnough else {
            throw .tooOld(.prosody, version: text, needed: "13.0", install: ProsodyVersion.install)
        }
        return text
    }
}
