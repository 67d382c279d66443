import CertificateStore
import DurableFiles
import FoundationEssentials
import Glibc
import RealServers
import Settings
import Testing

@testable import Appliance

@Suite("the certificates in a container of their own")
struct ContainerCertificatesTests {
    /// The folder of the built programs: that of the tests.
    private static var programs: String { File.folder(of: File.real("/proc/self/exe") ?? "/") }

    private static func health(of part: ContainerCertificates) async -> String? {
        let answer = await part.answer(ControlRequest(method: "GET", path: "/health/certificates"))
        return try? JSONDecoder().decode(HealthAnswer.self, from: Data(answer.json)).state
    }

    private static func status(of part: ContainerCertificates) async throws -> StatusReport {
        let answer = await part.answer(ControlRequest(method: "GET", path: "/status"))
        return try JSONDecoder().decode(StatusReport.self, from: Data(answer.json))
    }

    @Test("a folder that is wrong takes the certificate from its server only, health says so, and once it is mended all is well")
    func oneBadFolder() async throws {
        try await Scratch.with { scratch in
            let locations = scratch.locations
            try Ground.prepare(locations, accounts: .own)
            for service in [Service.prosody, .coturn] { try Folder.make(locations.run(of: service) + "/tls", mode: 0o750) }
            // No folder of ours: nothing is written through a link.
            let bad = locations.run(of: .prosody) + "/tls"
            #expect(rmdir(bad) == 0 && symlink(scratch.path, bad) == 0)
            var settings = try Settings(parsing: "SNIKKET_DOMAIN=chat.example\nSNIKKET_ADMIN_EMAIL=a@chat.example\n", file: "snikket.conf")
            settings.certificates = .internalAuthority
            let source = SettingsSource(
                file: nil, read: { [settings] in settings }, explain: { (.init(error: "\($0)"), isSettings: false) })
            let part = try ContainerCertificates(CurrentSettings(settings, from: source), locations, programs: Self.programs)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await part.live() }
                try await until { await Self.health(of: part) == "withheld" }
                #expect(access(locations.run(of: .coturn) + "/tls/privkey.pem", R_OK) == 0)
                let report = try await Self.status(of: part)
                #expect(!report.healthy && report.problems.map(\.matter) == ["certificate-copies"])
                #expect(report.problems.first?.problem.cause?.contains(bad) == true)
                #expect(report.certificate?.failures == 0 && report.certificate?.work?.error != nil)

                #expect(unlink(bad) == 0)
                try Folder.make(bad, mode: 0o750)
                _ = await part.answer(ControlRequest(method: "POST", path: "/certificate/renew"))
                try await until { await Self.health(of: part) == "good" }
                #expect(access(bad + "/privkey.pem", R_OK) == 0)
                #expect(try await Self.status(of: part).healthy)
                tasks.cancelAll()
                await #expect(throws: CancellationError.self) { try await tasks.waitForAll() }
            }
        }
    }
}
