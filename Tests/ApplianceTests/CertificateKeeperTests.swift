import CertificateStore
import DurableFiles
import Glibc
import RealServers
import Settings
import Synchronization
import SystemPackage
import Testing

@testable import Appliance

@Suite("the keeper of the certificate")
struct CertificateKeeperTests {
    /// The folder of the built programs: that of the tests.
    private static var program: String {
        var folder = FilePath("/proc/self/exe")
        if let path = realpath("/proc/self/exe", nil) {
            folder = FilePath(String(cString: path))
            free(path)
        }
        return folder.removingLastComponent().appending("snikket-certs").string
    }

    /// Settings with an authority of their own, unless another source is wanted.
    private static func settings(_ source: Settings.CertificateSource = .internalAuthority, domain: String = "chat.example") throws -> Settings {
        var settings = try Settings(parsing: "SNIKKET_DOMAIN=\(domain)\nSNIKKET_ADMIN_EMAIL=admin@\(domain)\n", file: "snikket.conf")
        settings.certificates = source
        return settings
    }

    private static func keeper(_ settings: Settings, _ locations: Locations) throws -> CertificateKeeper {
        try CertificateKeeper(settings: settings, locations: locations, program: program, accounts: .own)
    }

    @Test("a certificate is obtained, usable, and given to each server once")
    func obtained() async throws {
        try await Scratch.with { scratch in
            let locations = scratch.locations
            try Ground.prepare(locations, accounts: .own)
            let keeper = try Self.keeper(try Self.settings(), locations)
            #expect(try keeper.usable() == nil)
            #expect(await keeper.nextAttempt() == 0)
            let steps = Mutex<[CertificateEvent]>([])
            let stored = try await keeper.obtain { event in steps.withLock { $0.append(event) } }
            #expect(stored.record.covers(["chat.example", "groups.chat.example", "share.chat.example"]))
            #expect(steps.withLock { $0.contains { if case .issued = $0 { true } else { false } } })
            #expect(try keeper.usable() == stored)
            #expect(await keeper.attempts.failures == 0)
            let next = await keeper.nextAttempt()
            #expect(next > time(nil) && next < stored.record.notAfter)

            #expect(try await keeper.deploy(stored, accounts: .own) == [.prosody, .nginx, .coturn])
            for service in [Service.prosody, .nginx, .coturn] {
                for name in ["fullchain.pem", "privkey.pem"] {
                    let path = "\(locations.run(of: service))/tls/\(name)"
                    #expect(access(path, R_OK) == 0, "\(path)")
                    #expect(try File.readIfThere(path) == (try File.readIfThere(name == "privkey.pem" ? stored.privateKey : stored.fullChain)))
                }
            }
            #expect(try await keeper.deploy(stored, accounts: .own) == [])
            // Another keeper, as after a restart, finds it as it was.
            let successor = try Self.keeper(try Self.settings(), locations)
            #expect(try successor.usable() == stored)
            #expect(try await successor.deploy(stored, accounts: .own) == [])
            // Another certificate is another one for each of them.
            let renewed = try await successor.obtain { _ in }
            #expect(renewed.record.serial != stored.record.serial)
            #expect(try await successor.deploy(renewed, accounts: .own) == [.prosody, .nginx, .coturn])
            let report = await successor.report()
            #expect(report.serial == renewed.record.serial && report.lastError == nil)
            #expect(report.notAfter == RFC3339.text(renewed.record.notAfter))
        }
    }

    @Test("a server that cannot be given its copy does not keep the others from theirs, and is given it later")
    func handedOut() async throws {
        try await Scratch.with { scratch in
            let locations = scratch.locations
            try Ground.prepare(locations, accounts: .own)
            let keeper = try Self.keeper(try Self.settings(), locations)
            let stored = try await keeper.obtain { _ in }
            // No folder of ours: nothing is written through a link.
            let folder = locations.run(of: .nginx) + "/tls"
            #expect(symlink(scratch.path, folder) == 0)
            let first = await keeper.handOut(stored, accounts: .own)
            #expect(first.changed == [.prosody, .coturn] && first.failure?.cause?.contains(folder) == true)
            await #expect(throws: CertificateFailure.self) { try await keeper.deploy(stored, accounts: .own) }
            #expect(unlink(folder) == 0)
            let second = await keeper.handOut(stored, accounts: .own)
            #expect(second.changed == [.nginx] && second.failure == nil)
        }
    }

    @Test("a certificate of another source or for other names is not used")
    func otherSettings() async throws {
        try await Scratch.with { scratch in
            let locations = scratch.locations
            try Ground.prepare(locations, accounts: .own)
            _ = try await Self.keeper(try Self.settings(), locations).obtain { _ in }
            let authority = Settings.CertificateSource.acme(.init(directories: ["https://ca.example/directory"]))
            for settings in [try Self.settings(authority), try Self.settings(domain: "other.example")] {
                let keeper = try Self.keeper(settings, locations)
                #expect(try keeper.usable() == nil)
                #expect(await keeper.nextAttempt() == 0)
                #expect(await keeper.report().serial == nil)
            }
            #expect(try Self.keeper(try Self.settings(), locations).usable() != nil)
        }
    }

    /// Own files that are not there: the quickest failure.
    private static func failing(in scratch: Scratch) throws -> Settings {
        try settings(.files(fullChain: scratch.path + "/nowhere.pem", privateKey: scratch.path + "/nowhere.key"))
    }

    @Test("a failure is remembered across a restart, and the pause after it grows")
    func failure() async throws {
        try await Scratch.with { scratch in
            let locations = scratch.locations
            try Ground.prepare(locations, accounts: .own)
            var pauses: [Int] = []
            for round in 1...4 {
                let keeper = try Self.keeper(try Self.failing(in: scratch), locations)
                let failure = await Self.failure(of: keeper)
                #expect(failure?.kind == .configuration)
                #expect(await keeper.attempts.failures == round)
                #expect(await keeper.lastFailure == failure)
                #expect(await keeper.report().lastError?.error == failure?.error)
                pauses.append(await keeper.nextAttempt() - time(nil))
            }
            Self.expectGrowth(pauses)
            let next = try Self.keeper(try Self.failing(in: scratch), locations)
            #expect(await next.attempts.failures == 4)
        }
    }

    @Test("the pause grows also when nothing can be written down")
    func unwritable() async throws {
        try await Scratch.with { scratch in
            let locations = scratch.locations
            try Ground.prepare(locations, accounts: .own)
            try Self.spoilAttempts(locations, scratch)
            let keeper = try Self.keeper(try Self.failing(in: scratch), locations)
            var pauses: [Int] = []
            for round in 1...4 {
                #expect(await Self.failure(of: keeper)?.kind == .configuration)
                #expect(await keeper.attempts.failures == round)
                pauses.append(await keeper.nextAttempt() - time(nil))
            }
            Self.expectGrowth(pauses)
        }
    }

    /// A folder in the file's place: whoever we are, it cannot be replaced.
    private static func spoilAttempts(_ locations: Locations, _ scratch: Scratch) throws {
        try scratch.folder(locations.certificates + "/attempts.json")
        try scratch.folder(locations.certificates + "/attempts.json/full")
    }

    private static func failure(of keeper: CertificateKeeper) async -> CertificateFailure? {
        do throws(CertificateFailure) {
            _ = try await keeper.obtain { _ in }
            return nil
        } catch {
            return error
        }
    }

    /// A minute, two, four, eight; less what passed since.
    private static func expectGrowth(_ pauses: [Int]) {
        for (pause, wanted) in zip(pauses, [60, 120, 240, 480]) { #expect((wanted - 30...wanted + 1).contains(pause), "\(pauses)") }
    }

    @Test("without its program there is no keeper")
    func missingProgram() async throws {
        try await Scratch.with { scratch in
            let path = scratch.path + "/snikket-certs"
            #expect(throws: ApplianceError.missingProgram(path: path)) {
                try CertificateKeeper(settings: try Self.settings(), locations: scratch.locations, program: path, accounts: .own)
            }
        }
    }
}
