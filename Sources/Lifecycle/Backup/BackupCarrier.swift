import DurableFiles
import Glibc

/// A program of the person's that takes a backup elsewhere.
public struct BackupCarrier: Sendable {
    private let program: String

    /// - Parameter program: an absolute path; it gets one argument, the file's path.
    public init(program: String) {
        self.program = program
    }

    /// Has it carried.
    ///
    /// - Throws: ``BackupError/program(_:_:)`` with the program's last words when it did not end with 0.
    public func carry(_ file: String) throws(BackupError) {
        guard access(program, X_OK) == 0 else { throw .file(FileError(.read, program, errno: errno)) }
        try ChildProcess(program, [file], environment: Self.home.map { ["HOME": $0] } ?? [:]).succeed(isEndedBySignal: true)
    }

    /// Where it finds its own settings, as on a terminal: systemd's timer does not say it.
    private static var home: String? {
        if let home = getenv("HOME") { return String(cString: home) }
        return getpwuid(geteuid()).map { String(cString: $0.pointee.pw_dir) }
    }
}

/// A service of systemd.
public struct SystemUnit: Sendable {
    private static let program = "/usr/bin/systemctl"
    private let name: String

    public init(name: String) {
        self.name = name
    }

    public var isActive: Bool {
        guard access(Self.program, X_OK) == 0, let child = try? ChildProcess(Self.program, ["is-active", "--quiet", name]) else { return false }
        return child.end() == nil
    }

    public func stop() throws(BackupError) { try ChildProcess(Self.program, ["stop", name]).succeed(isEndedBySignal: true) }

    /// Without waiting until it serves: `snikket status` tells. It is started also when we have been told to stop.
    public func start() throws(BackupError) {
        if let words = try ChildProcess(Self.program, ["start", "--no-block", name]).end() { throw .program("systemctl", words) }
    }
}
