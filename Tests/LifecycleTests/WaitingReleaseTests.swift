import DurableFiles
import Glibc
import RealServers
import Testing

@testable import Lifecycle

@Suite("a newer release that has not come by itself")
struct WaitingReleaseTests {
    @Test("is remembered until something is installed after it was seen, whoever does that")
    func remembered() async throws {
        try await Scratch.with { scratch in
            let path = scratch.path + "/waiting.json"
            #expect(WaitingRelease.read(from: path, installed: nil) == nil)
            let release = WaitingRelease(version: "0.2.0", isSecurity: true, isHeld: true)
            try release.write(to: path)
            let seen = try #require(File.lastChange(of: path))
            #expect([nil, seen - 1, seen].allSatisfy { WaitingRelease.read(from: path, installed: $0) == release })
            #expect(WaitingRelease.read(from: path, installed: seen + 1) == nil)
            // What another version wrote is no reason for not starting.
            _ = try scratch.write("waiting.json", "{}")
            #expect(WaitingRelease.read(from: path, installed: nil) == nil)
        }
    }
}
