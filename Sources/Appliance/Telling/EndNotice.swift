public import Settings

/// The e-mail that `snikket up` has ended and nothing starts it again. There is no chat server to tell it by, and nothing that would try again.
public struct EndNotice: Sendable {
    private let settings: Settings
    private let programs: String
    private let accounts: Accounts

    /// - Parameters:
    ///   - settings: what of them can be read.
    ///   - programs: the folder with the program `snikket-certs`.
    ///   - accounts: who that runs as.
    public init(settings: Settings, programs: String, accounts: Accounts) {
        (self.settings, self.programs, self.accounts) = (settings, programs, accounts)
    }

    /// Sends it, when the settings have a mail server.
    ///
    /// - Returns: false when the mail server did not take it, which has been said then.
    /// - Throws: ``ApplianceError/missingProgram(path:)``
    public func send(error: String, cause: String?, tryThis: String?) async throws -> Bool {
        guard let server = settings.mailServer else { return true }
        let channel = MailChannel(
            server: server, settings: settings,
            program: try CertificateProgram(path: programs + "/snikket-certs", account: accounts.certificates))
        let lines = [
            "Snikket has ended, and is not started again by itself.", "Until it is, nobody can write or call.", "", "What is wrong: \(error)", cause,
            "What to do: \(tryThis ?? "mend that on the server"); then: sudo systemctl start snikket",
        ]
        return await channel.tell(lines.compactMap(\.self).joined(separator: "\n"))
    }
}
