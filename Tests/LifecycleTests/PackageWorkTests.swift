import Glibc
import RealServers
import Testing

@testable import Lifecycle

@Suite("Packages that are being installed")
struct PackageWorkTests {
    @Test("somebody who holds a lock as dpkg does is seen, and leaves nothing behind")
    func locked() async throws {
        try await Scratch.with { scratch in
            let path = scratch.path + "/lock"
            close(open(path, O_CREAT | O_WRONLY, 0o640))
            #expect(!PackageManager.isAtWork(locks: [path]))
            #expect(!PackageManager.isAtWork(locks: [scratch.path + "/none"]))
            try await whileHeld(path) {
                #expect(PackageManager.isAtWork(locks: [scratch.path + "/none", path]))
            }
            #expect(!PackageManager.isAtWork(locks: [path]))
        }
    }
}
