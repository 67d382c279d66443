import CertificateStore
import DurableFiles
import Glibc
import RealServers
import Settings
import Testing

@testable import Appliance

@Suite("how the certificate program is told to answer challenges")
struct ChallengeArgumentsTests {
    private static func settings(_ challenge: Settings.Challenge) throws -> Settings {
        var settings = try Settings(parsing: "SNIKKET_DOMAIN=chat.example\nSNIKKET_ADMIN_EMAIL=admin@chat.example\n", file: "snikket.conf")
        settings.challenge = challenge
        return settings
    }

    @Test("while nginx runs it answers through nginx, and else on the ports themselves")
    func places() async throws {
        try await Scratch.with { scratch in
            let locations = scratch.locations
            let http = try ChallengeArguments(Self.settings(.http), locations)
            #expect(http.arguments == ["--webroot", locations.challenges, "--no-self-check"] && !http.bindsPort)
            let tls = try ChallengeArguments(Self.settings(.tlsALPN), locations)
            #expect(tls.arguments == ["--tls-alpn", "unix:" + locations.responderSocket, "--no-self-check"])

            let alone = try ChallengeArguments(Self.settings(.http), locations, hasWebServer: false)
            #expect(alone.arguments == ["--listen", "[::]:80", "--no-self-check"] && alone.bindsPort)
            var settings = try Self.settings(.tlsALPN)
            settings.listenAddresses = ["2001:db8::1", "192.0.2.1"]
            settings.ports.https = 8443
            let other = try ChallengeArguments(settings, locations, hasWebServer: false)
            #expect(other.arguments == ["--tls-alpn", "[2001:db8::1]:8443", "--no-self-check"])
            settings = try Self.settings(.http)
            settings.ipv6 = false
            let four = try ChallengeArguments(settings, locations, hasWebServer: false)
            #expect(four.arguments.contains("0.0.0.0:80"))
        }
    }

    @Test("the key for DNS changes goes in by standard input, and never on the command line")
    func key() async throws {
        try await Scratch.with { scratch in
            let path = scratch.path + "/tsig.key"
            try File.write(Array("hush".utf8), to: path, mode: 0o600)
            let update = try ChallengeArguments(Self.settings(.dns(.update(server: "192.0.2.1:53", keyFile: path))), scratch.locations)
            #expect(update.arguments == ["--dns-server", "192.0.2.1:53", "--tsig-key-file", "-"])
            #expect(update.input == Array("hush".utf8))

            // An account that was arranged with the authority has a key as well: it comes first, in a line of its own.
            try File.write(Array("https://ca.example/dir kid-1 bWFj\n".utf8), to: scratch.path + "/accounts", mode: 0o600)
            let authorities = Settings.Authorities(directories: ["https://ca.example/dir"], externalAccounts: scratch.path + "/accounts")
            let settings = try Self.settings(.dns(.update(server: "192.0.2.1:53", keyFile: path)))
            let job = try CertificateJobs(settings: settings, locations: scratch.locations).issue(from: "https://ca.example/dir", of: authorities)
            #expect(job.input == Array("bWFj\nhush".utf8))
            #expect(!job.arguments.contains { $0.contains("bWFj") || $0.contains("hush") })
        }
    }

    @Test("a key that others can read is refused")
    func readableKey() async throws {
        try await Scratch.with { scratch in
            let path = scratch.path + "/tsig.key"
            try File.write(Array("hush".utf8), to: path, mode: 0o644)
            let settings = try Self.settings(.dns(.update(server: "192.0.2.1:53", keyFile: path)))
            #expect {
                try ChallengeArguments(settings, scratch.locations)
            } throws: { error in
                (error as? CertificateFailure)?.try?.contains("chmod 600 \(path)") == true
            }
        }
    }

    @Test("a hook that cannot be run and a key that cannot be read are wrong configuration, each named with its option")
    func missing() async throws {
        try await Scratch.with { scratch in
            let none = scratch.path + "/none"
            for (change, option) in [
                (Settings.DNSChange.hook(program: none), "SNIKKET_DNS_HOOK"),
                (.update(server: "192.0.2.1:53", keyFile: none), "SNIKKET_DNS_TSIG_KEY_FILE"),
            ] {
                let settings = try Self.settings(.dns(change))
                do throws(CertificateFailure) {
                    _ = try ChallengeArguments(settings, scratch.locations)
                    Issue.record("it was accepted")
                } catch {
                    #expect(error.kind == .configuration)
                    #expect(error.cause == "\(none): no such file or directory")
                    #expect(error.try?.contains(option) == true)
                }
            }
            let hook = try ChallengeArguments(Self.settings(.dns(.hook(program: "/bin/true"))), scratch.locations)
            #expect(hook.arguments == ["--dns-hook", "/bin/true"])
        }
    }
}
