import Glibc
import RealServers
import Supervision
import Testing

@testable import Lifecycle

@Suite("releases: what is believed of them, with the real openssl")
struct ReleaseTests {
    private static let package = "not really a package\n"

    /// A release in a folder, signed; and what knows its key.
    private static func release(
        in scratch: Scratch,
        _ text: (_ checksum: String) -> String = { "snikket-release 1\nversion 0.2.0\nsecurity no\npackage amd64 \($0) snikket_0.2.0_amd64.deb\n" }
    ) async throws -> ReleaseFetch {
        for folder in ["release", "got"] { mkdir("\(scratch.path)/\(folder)", 0o755) }
        let file = try scratch.write("release/snikket_0.2.0_amd64.deb", package)
        let checksum = try #require(try await ReleaseFetch.checksum(of: file))
        _ = try scratch.write("release/release", text(checksum))
        try await Tool("/usr/bin/openssl", "genpkey", "-algorithm", "ed25519", "-out", "\(scratch.path)/key.pem").succeed()
        try await sign(scratch)
        let key = try await Tool("/usr/bin/openssl", "pkey", "-in", "\(scratch.path)/key.pem", "-pubout").succeed()
        return ReleaseFetch(
            ReleaseSource(place: scratch.path + "/release/", key: key.split(separator: "\n").filter { !$0.hasPrefix("-----") }.joined()), as: nil)
    }

    private static func sign(_ scratch: Scratch) async throws {
        try await Tool(
            "/usr/bin/openssl", "pkeyutl", "-sign", "-rawin", "-inkey", "\(scratch.path)/key.pem", "-in", "\(scratch.path)/release/release", "-out",
            "\(scratch.path)/release/release.sig"
        ).succeed()
    }

    @Test("one that its makers signed is believed, and its package is the one with that checksum")
    func good() async throws {
        try await Scratch.with { scratch in
            let fetch = try await Self.release(in: scratch)
            let release = try await fetch.release(into: scratch.path + "/got")
            #expect(release.version == "0.2.0" && !release.isSecurity && release.unsafeBefore == nil)
            let package = try #require(release.package(of: "0.2.0", for: "amd64"))
            #expect(try await fetch.package(package, into: scratch.path + "/got") == scratch.path + "/got/snikket_0.2.0_amd64.deb")
        }
    }

    @Test("one byte more or less, another key, or no signature: it is not believed")
    func unsigned() async throws {
        try await Scratch.with { scratch in
            let fetch = try await Self.release(in: scratch)
            let text = "snikket-release 1\nversion 9.9.9\nsecurity yes\n"
            _ = try scratch.write("release/release", text)
            await #expect(throws: UpgradeError.unsigned(place: scratch.path + "/release")) { try await fetch.release(into: scratch.path + "/got") }
            try await Tool("/usr/bin/openssl", "genpkey", "-algorithm", "ed25519", "-out", "\(scratch.path)/key.pem").succeed()
            try await Self.sign(scratch)
            await #expect(throws: UpgradeError.unsigned(place: scratch.path + "/release")) { try await fetch.release(into: scratch.path + "/got") }
            _ = try scratch.write("release/release.sig", "")
            await #expect(throws: UpgradeError.unsigned(place: scratch.path + "/release")) { try await fetch.release(into: scratch.path + "/got") }
            unlink(scratch.path + "/release/release.sig")
            await #expect(throws: UpgradeError.self) { try await fetch.release(into: scratch.path + "/got") }
        }
    }

    @Test("whoever comes while its makers put the two files in place looks once more")
    func between() async throws {
        try await Scratch.with { scratch in
            let fetch = try await Self.release(in: scratch)
            try #require(rename(scratch.path + "/release/release.sig", scratch.path + "/release/right") == 0)
            _ = try scratch.write("release/release.sig", "that of the release before")
            async let release = fetch.release(into: scratch.path + "/got")
            while access(scratch.path + "/got/verified", F_OK) != 0 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(rename(scratch.path + "/release/right", scratch.path + "/release/release.sig") == 0)
            #expect(try await release.version == "0.2.0")
        }
    }

    @Test("a package that was altered or cut off does not get its name, and nothing of it stays")
    func altered() async throws {
        try await Scratch.with { scratch in
            let fetch = try await Self.release(in: scratch)
            let release = try await fetch.release(into: scratch.path + "/got")
            let package = try #require(release.package(of: "0.2.0", for: "amd64"))
            for content in ["", String(Self.package.dropLast()), Self.package.uppercased()] {
                _ = try scratch.write("release/snikket_0.2.0_amd64.deb", content)
                await #expect(throws: UpgradeError.altered(file: package.file)) { try await fetch.package(package, into: scratch.path + "/got") }
                #expect(access(scratch.path + "/got/" + package.file, F_OK) != 0 && access(scratch.path + "/got/fetched", F_OK) != 0)
            }
        }
    }

    @Test("what is larger than it can be is not fetched to its end")
    func tooLarge() async throws {
        try await Scratch.with { scratch in
            let fetch = try await Self.release(in: scratch)
            _ = try scratch.write("release/release", String(repeating: "x", count: Release.limit + 1))
            await #expect(throws: UpgradeError.unreachable(place: scratch.path + "/release/release", words: "it is larger than it can be")) {
                try await fetch.release(into: scratch.path + "/got")
            }
        }
    }

    @Test(
        "signed and of another form, it is no release",
        arguments: [
            "", "snikket-release 2\nversion 1\n", "snikket-release 1\nversion ../1\n", "snikket-release 1\n", "snikket-release 1\nversion 1:2\n",
            "snikket-release 1\nversion 1\npackage amd64 12 a.deb\n",
            "snikket-release 1\nversion 1\npackage amd64 \(String(repeating: "a", count: 64)) ../a.deb\n",
            "snikket-release 1\nversion 1\npackage amd64 \(String(repeating: "a", count: 64)) -a.deb\n",
        ])
    func malformed(_ text: String) {
        #expect(Release(text) == nil)
    }

    @Test("news, versions with problems and earlier packages are read; what would move a terminal's cursor is not")
    func everything() throws {
        let sum = String(repeating: "a", count: 64)
        let release = try #require(
            Release(
                """
                snikket-release 1
                version 0.3.0
                security yes
                unsafe-before 0.2.5
                package arm64 \(sum) snikket_0.3.0_arm64.deb
                earlier 0.2.0 arm64 \(sum) snikket_0.2.0_arm64.deb
                news Better\u{1B}[2J calls.
                later something that nobody knows yet
                """))
        #expect(release.isSecurity && release.unsafeBefore == "0.2.5" && release.news == ["Better[2J calls."])
        #expect(release.package(of: "0.2.0", for: "arm64")?.file == "snikket_0.2.0_arm64.deb")
        #expect(release.package(of: "0.3.0", for: "amd64") == nil)
    }

    @Test("a package without a place and a key has no releases; another place needs the key all the same")
    func source() async throws {
        try await Scratch.with { scratch in
            #expect(throws: UpgradeError.noReleases) { try ReleaseSource(file: scratch.path + "/none", elsewhere: "/srv/releases") }
            let file = try scratch.write("releases", "url https://example.org/snikket/\nkey MCow\n")
            #expect(try ReleaseSource(file: file, elsewhere: nil) == ReleaseSource(place: "https://example.org/snikket", key: "MCow"))
            #expect(try ReleaseSource(file: file, elsewhere: "/srv").place == "/srv")
        }
    }
}

@Suite("what is written down of an upgrade")
struct UpgradeRecordTests {
    private static func record(_ step: UpgradeRecord.Step) -> UpgradeRecord {
        var record = UpgradeRecord(
            old: .init(version: "1", package: "/p/1.deb"), new: .init(version: "2", package: "/p/2.deb"), isRollback: false, isUnattended: true,
            makesBackup: true, stateVersion: 1, wasRunning: true, wasHealthy: true, begun: 1_795_734_533)
        record.step = step
        return record
    }

    @Test("it is read as it was written")
    func roundTrip() async throws {
        try await Scratch.with { scratch in
            let path = scratch.path + "/record.json"
            #expect(try UpgradeRecord.read(from: path) == nil)
            try Self.record(.watching).write(to: path)
            #expect(try UpgradeRecord.read(from: path) == Self.record(.watching))
        }
    }

    @Test("a version that did not stay is not tried again by itself; one that was only interrupted is, and so is the next one")
    func refusal() {
        #expect(Self.record(.wentBack).isRefusal(of: "2") && !Self.record(.wentBack).isRefusal(of: "3"))
        #expect(Self.record(.abandoned).isRefusal(of: "2") && !Self.record(.done).isRefusal(of: "2"))
        var interrupted = Self.record(.abandoned)
        interrupted.isTransient = true
        #expect(!interrupted.isRefusal(of: "2"))
    }
}
