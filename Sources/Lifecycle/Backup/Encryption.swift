import DurableFiles

/// How a backup is encrypted, if it is: by age(1).
public enum Encryption: Sendable, Equatable {
    case none
    /// To whoever has the key of one of these recipients.
    case recipients([String])
    /// To whoever knows the passphrase in this file.
    case passphrase(file: String)
}

/// What opens an encrypted backup.
public enum Opening: Sendable, Equatable {
    /// Nothing was given.
    case none
    /// A file with age's identities.
    case identity(file: String)
    /// A file with the passphrase.
    case passphrase(file: String)
}

/// age(1), which does all the cryptography.
enum Age {
    static func find() throws(BackupError) -> String { try ChildProcess.find("age", package: "age") }

    static func encrypt(_ encryption: Encryption, from input: Descriptor, to output: Descriptor) throws(BackupError) -> ChildProcess? {
        switch encryption {
        case .none: return nil
        case .recipients(let recipients):
            return try ChildProcess(
                try find(), ["--encrypt"] + recipients.flatMap { ["--recipient", $0] }, input: input, output: output)
        case .passphrase(let file):
            // It is asked for twice.
            return try ask("--encrypt --passphrase", passphrase: file, times: 2, input, output)
        }
    }

    /// - Returns: nil when nothing was given that could open it.
    static func decrypt(_ opening: Opening, from input: Descriptor, to output: Descriptor) throws(BackupError) -> ChildProcess? {
        switch opening {
        case .none: return nil
        case .identity(let file): return try ChildProcess(try find(), ["--decrypt", "--identity", file], input: input, output: output)
        case .passphrase(let file): return try ask("--decrypt", passphrase: file, times: 1, input, output)
        }
    }

    /// age asks for passphrases on a terminal only: script(1) gives it one, and types what is in the file. Nothing secret is on a command line.
    private static func ask(
        _ options: String, passphrase file: String, times: Int, _ input: Descriptor, _ output: Descriptor
    ) throws(BackupError) -> ChildProcess {
        let script = try ChildProcess.find("script", package: "bsdutils")
        let answers = try answers(from: file, times: times)
        return try ChildProcess(
            script, ["--quiet", "--return", "--command", "exec \(try find()) \(options) <&3 >&4", "/dev/null"], input: answers,
            more: [input, output],
            isDiscreet: true)
    }

    /// - Throws: ``BackupError/unsuitable(_:)`` when there is no passphrase in the file, or more than one line.
    private static func answers(from file: String, times: Int) throws(BackupError) -> Descriptor {
        let bytes: [UInt8]
        do throws(FileError) { bytes = try File.read(file, limit: 1 << 12, waiting: true) } catch { throw .file(error) }
        let line = bytes.last == 0x0A ? bytes.dropLast() : bytes[...]
        // An empty answer would make age think of a passphrase that nobody learns. Control characters steer the terminal.
        guard !line.isEmpty, line.count <= 1024, line.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { throw .unsuitable(file) }
        let (reading, writing) = try Descriptor.pipe()
        for _ in 0..<times { try writing.write(line + [0x0A]) }
        return reading
    }
}
