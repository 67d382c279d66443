import RealServers
import Testing

@testable import Lifecycle

@Suite("upgrades that are waiting, as the real apt knows them")
struct PendingUpgradeTests {
    private static let installed = ["prosody": "13.0.1-1", "nginx-light": "1.22.1-9", "coturn": "4.6.1-1", "games": "1.0"]

    private static func pending(_ available: [String: String], label: String = "Debian", suite: String = "stable") async throws -> [PendingUpgrade] {
        try await Scratch.with { scratch in
            let archive = try await PackageArchive(in: scratch, installed: installed, available: available, label: label, suite: suite)
            return try await PackageManager(configuration: archive.configuration).pendingUpgrades().sorted { $0.package < $1.package }
        }
    }

    @Test("a newer version of what everything runs on is waiting; what else the machine has is nobody's business here")
    func newer() async throws {
        let pending = try await Self.pending([
            "prosody": "13.0.2-1", "nginx-light": "1.22.1-9+deb12u1", "coturn": "4.6.1-1", "games": "2.0", "lua-new": "1",
        ])
        #expect(
            pending == [
                PendingUpgrade(package: "nginx-light", installed: "1.22.1-9", available: "1.22.1-9+deb12u1", isSecurity: false),
                PendingUpgrade(package: "prosody", installed: "13.0.1-1", available: "13.0.2-1", isSecurity: false),
            ])
    }

    @Test("one from the security archive is told apart")
    func security() async throws {
        let pending = try await Self.pending(["prosody": "13.0.2-1"], label: "Debian-Security", suite: "stable-security")
        #expect(pending == [PendingUpgrade(package: "prosody", installed: "13.0.1-1", available: "13.0.2-1", isSecurity: true)])
    }

    @Test("nothing waits when everything is as new as the archive")
    func upToDate() async throws {
        #expect(try await Self.pending(Self.installed) == [])
    }

    @Test("an apt that cannot work is an error with its own words, not 'nothing is waiting'")
    func broken() async throws {
        try await Scratch.with { scratch in
            let archive = try await PackageArchive(
                in: scratch, installed: Self.installed, available: Self.installed, label: "Debian", suite: "stable")
            _ = try scratch.write("sources.list", "this is no line of a list\n")
            await #expect {
                try await PackageManager(configuration: archive.configuration).pendingUpgrades()
            } throws: { error in
                guard case .packageManager(let words) = error as? LifecycleError else { return false }
                return words.hasPrefix("E:")
            }
        }
    }
}
