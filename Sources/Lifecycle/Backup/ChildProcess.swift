import DurableFiles
import Glibc
import Supervision
import SystemPackage

/// A program that does a part of the work: started, given its ends of the pipes, waited for. It is for commands, which may wait.
final class ChildProcess {
    private let pid: pid_t
    private let name: String
    private let words: LastWords
    private let isDiscreet: Bool
    private var status: Int32?

    /// - Parameters:
    ///   - account: who it runs as, when we are root; nil: as we do.
    ///   - folder: where it starts.
    ///   - environment: beyond ``ServiceSpecification/plainEnvironment``.
    ///   - input: nil: nothing.
    ///   - output: nil: with its errors.
    ///   - more: what it has open as 3 and above.
    ///   - isDiscreet: whether what it prints may hold a secret: then only age's own errors are told.
    init(
        _ program: String, _ arguments: [String], as account: Account? = nil, in folder: String? = nil, environment: [String: String] = [:],
        input: Descriptor? = nil, output: Descriptor? = nil, more: [Descriptor] = [], isDiscreet: Bool = false
    ) throws(BackupError) {
        name = File.name(of: program)
        self.isDiscreet = isDiscreet
        let (reading, writing) = try Descriptor.pipe()
        words = try LastWords(from: reading)
        let nothing = try Descriptor.open("/dev/null", O_RDWR)
        let specification = ServiceSpecification(
            name: name, executable: program, arguments: arguments, environment: ServiceSpecification.plainEnvironment.merging(environment) { $1 },
            workingDirectory: folder, account: account)
        let wanted = [input ?? nothing, output ?? writing, writing] + more
        do throws(Errno) {
            // An array goes after its last use, and with it what is open.
            pid = try withExtendedLifetime(wanted) { () throws(Errno) in
                try specification.startInSession(descriptors: wanted.map(\.number))
            }
        } catch {
            throw .program(specification.name, error.description)
        }
    }

    deinit {
        guard status == nil else { return }
        kill(pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    }

    /// Waits until it has ended.
    ///
    /// - Parameter isEndedBySignal: whether it is told to end when we are told to stop, instead of being waited for.
    /// - Throws: ``BackupError/program(_:_:)`` with its words, unless it ended well; ``BackupError/interrupted`` when we were told to stop.
    func succeed(isEndedBySignal: Bool = false) throws(BackupError) {
        if isEndedBySignal { try endWhenTold() }
        guard let words = end() else { return }
        // Ctrl-C reaches it as well as us.
        try Interruption.check()
        throw .program(name, words)
    }

    /// Waits until it has ended, or we are told to stop: then it is told, too.
    private func endWhenTold() throws(BackupError) {
        let (ended, end) = try Descriptor.pipe()
        let waiting = Background("wait") { [pid, end] () throws(BackupError) in
            var information = siginfo_t()
            // It stays to be waited for.
            while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) < 0, errno == EINTR {}
            try end.write([0])
        }
        do throws(BackupError) { try Interruption.wait(for: ended.number) } catch { kill(pid, SIGTERM) }
        try withExtendedLifetime(ended) { () throws(BackupError) in try waiting.finish() }
    }

    /// Waits until it has ended; what it said when that was not a good end.
    func end() -> String? {
        var status = self.status ?? 0
        if self.status == nil {
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            self.status = status
        }
        guard status != 0 else { return nil }
        let said = said.split(whereSeparator: \.isNewline).map(String.init)
        // What is said on a terminal has the terminal's own signs before it.
        let own = said.last { $0.contains("age: error: ") }.map { "age" + $0.drop { $0 != ":" } }
        let line = isDiscreet ? nil : said.last { $0.lowercased().contains("error") } ?? said.last
        return own ?? line ?? (status & 0x7F == 0 ? "it ended with \(status >> 8)" : "it was ended by signal \(status & 0x7F)")
    }

    /// What it said at last, once it has ended; and what it printed, when its output went with its errors.
    var said: String { words.end() }

    /// Where a program is, in the usual folders.
    static func find(_ program: String, package: String) throws(BackupError) -> String {
        for folder in ["/usr/local/bin", "/usr/bin", "/bin"] where access("\(folder)/\(program)", X_OK) == 0 { return "\(folder)/\(program)" }
        throw .missingProgram(program, package: package)
    }
}
