import DurableFiles
import Glibc
import RealServers
import Subprocess
import Supervision

@testable import Lifecycle

/// A system in a test's own folder, for the real dpkg, and packages of ours to install there.
struct PackagedSystem {
    let root: String
    let package: InstalledPackage
    private let packages: String

    /// - Parameters:
    ///   - versions: of the packages that are made.
    ///   - packages: the folder that they are made in.
    init(in scratch: Scratch, versions: [String], packages: String, patience: Duration = .seconds(10)) async throws {
        root = scratch.path + "/root"
        (package, self.packages) = (InstalledPackage(root: root, patience: patience), packages)
        for folder in ["info", "updates", "triggers"] { try Folder.make("\(root)/var/lib/dpkg/\(folder)", mode: 0o755) }
        try File.write([], to: root + "/var/lib/dpkg/status", mode: 0o644)
        for version in versions {
            let tree = "\(scratch.path)/tree-\(version)"
            try Folder.make(tree + "/DEBIAN", mode: 0o755)
            let control = """
                Package: snikket
                Version: \(version)
                Architecture: all
                Maintainer: nobody <nobody@example.org>
                Description: a package

                """
            try File.write(Array(control.utf8), to: tree + "/DEBIAN/control", mode: 0o644)
            try Folder.make(tree + "/usr/share/snikket", mode: 0o755)
            // Too large for one breath of dpkg's.
            try File.write((0..<1 << 18).map { _ in UInt8.random(in: .min ... .max) }, to: tree + "/usr/share/snikket/large", mode: 0o644)
            try await Tool("/usr/bin/dpkg-deb", "--root-owner-group", "-Zgzip", "--build", tree, file(version)).succeed()
        }
    }

    /// A file that every version has.
    var content: String { root + "/usr/share/snikket/large" }

    func file(_ version: String) -> String { "\(packages)/snikket_\(version)_amd64.deb" }

    /// Runs something while somebody else has the lock of the real dpkg there.
    func whileLocked(_ body: () async throws -> Void) async throws { try await whileHeld(root + "/var/lib/dpkg/lock", body) }
}

/// Runs something while another process has a lock as dpkg has it (fcntl(2)).
func whileHeld(_ path: String, _ body: () async throws -> Void) async throws {
    let script = """
        import fcntl, signal, sys
        file = open(sys.argv[1], 'w')
        fcntl.lockf(file, fcntl.LOCK_EX)
        print('held', flush=True)
        signal.pause()
        """
    _ = try await run(.name("python3"), arguments: ["-c", script, path], input: .none, output: .sequence, error: .discarded) { execution in
        defer { kill(execution.processIdentifier.value, SIGKILL) }
        for try await line in execution.standardOutput.strings() where line.hasPrefix("held") { break }
        try await body()
    }
}
