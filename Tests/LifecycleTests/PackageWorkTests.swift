import Glibc
import RealServers
import Subprocess
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
            let script = """
                import fcntl, signal, sys
                file = open(sys.argv[1], 'r+')
                fcntl.lockf(file, fcntl.LOCK_EX)
                print('held', flush=True)
                signal.pause()
                """
            _ = try await run(
                .name("python3"), arguments: ["-c", script, path], input: .none, output: .sequence, error: .discarded
            ) { execution in
                defer { kill(execution.processIdentifier.value, SIGKILL) }
                for try await line in execution.standardOutput.strings() where line.hasPrefix("held") { break }
                #expect(PackageManager.isAtWork(locks: [scratch.path + "/none", path]))
            }
            #expect(!PackageManager.isAtWork(locks: [path]))
        }
    }
}
