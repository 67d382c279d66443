import Settings
import Testing

/// The two lines that every file has, and more behind them.
func settings(_ lines: String...) throws(SettingsError) -> Settings {
    let text = (["SNIKKET_DOMAIN=chat.example.org", "SNIKKET_ADMIN_EMAIL=me@example.org"] + lines).joined(separator: "\n")
    return try Settings(parsing: text, file: "snikket.conf")
}

/// The problems of a file that holds exactly this.
func problems(of text: String, overrides: [(name: String, value: String)] = []) -> [Problem] {
    do throws(SettingsError) {
        _ = try Settings(parsing: text, file: "snikket.conf", overrides: overrides)
        return []
    } catch {
        return error.problems
    }
}

/// The problems of a good file with these lines from line 3 on.
func problems(with lines: String...) -> [Problem] {
    problems(of: (["SNIKKET_DOMAIN=chat.example.org", "SNIKKET_ADMIN_EMAIL=me@example.org"] + lines).joined(separator: "\n"))
}

@Suite("Settings")
struct SettingsTests {
    @Test("two lines are enough, and everything else has its default")
    func twoLines() throws {
        let settings = try settings()
        #expect(settings.domain == "chat.example.org")
        #expect(settings.adminEmail == "me@example.org")
        #expect(settings.siteName == "chat.example.org")
        #expect(settings.certificates == .acme(.init(directories: ["https://acme-v02.api.letsencrypt.org/directory"])))
        #expect(settings.ports == Ports())
        #expect(settings.listenAddresses == [])
        #expect(settings.ipv6)
        #expect(settings.retentionDays == 7)
        #expect(settings.uploadLimitMegabytes == 100)
        #expect(settings.uploadStorageGigabytes == nil)
        #expect(settings.dailyUploadLimitGigabytes == 1)
        #expect(settings.maximumClientsPerUser == 10)
        #expect(settings.logLevel == .info)
        #expect(settings.tlsProfile == .modern)
        #expect(settings.abuseEmail == nil)
        #expect(settings.securityEmail == nil)
        #expect(settings.termsURI == nil)
        #expect(settings.privacyURI == nil)
        #expect(settings.invitationURL == "https://chat.example.org/invite/{token}/")
        #expect(settings.federation)
        #expect(
            settings.turn
                == .init(
                    enabled: true, host: "chat.example.org", secret: nil, minimumRelayPort: 49152, maximumRelayPort: 65535,
                    internalAddress: nil))
        #expect(settings.given == ["SNIKKET_DOMAIN": "chat.example.org", "SNIKKET_ADMIN_EMAIL": "me@example.org"])
        #expect(settings.notices == [])
    }

    @Test("a trial is on loopback, with its own authority and a block of ports")
    func trial() {
        let settings = Settings.forTrial(firstPort: 20000)
        #expect(settings.domain == "localhost")
        #expect(settings.certificates == .internalAuthority)
        #expect(settings.ports == Ports(from: 20000))
        #expect(settings.listenAddresses == ["127.0.0.1"])
        #expect(!settings.federation)
        #expect(settings.siteName == "localhost")
        #expect(settings.turn.enabled)
        #expect(settings.turn.host == "localhost")
        #expect(settings.turn.minimumRelayPort == 20000 + Ports.blockSize)
        #expect(settings.turn.maximumRelayPort == 20000 + Settings.trialPortCount - 1)
        #expect(settings.webURL == "https://localhost:20001")
        #expect(settings.invitationURL == "https://localhost:20001/invite/{token}/")
        #expect(settings.uploadBaseURL == "https://localhost:20001/upload")
        #expect(settings.retentionDays == 7)
    }
}
