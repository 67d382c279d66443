import DurableFiles
import Glibc

/// A SQLite database, by way of sqlite3(1).
enum Database {
    /// Whether a file is one (sqlite.org/fileformat.html §1.3).
    static func isOne(beginning: [UInt8]) -> Bool { beginning == Array("SQLite format 3\0".utf8) }

    static func isOne(_ file: Descriptor) -> Bool {
        var beginning = [UInt8](repeating: 0, count: 16)
        return pread(file.number, &beginning, 16, 0) == 16 && isOne(beginning: beginning)
    }

    /// The database that a file would belong to by its name; nil for other names. A copy needs none of these.
    static func beside(_ path: String) -> String? {
        ["-wal", "-shm", "-journal"].first { path.hasSuffix($0) }.map { String(path.dropLast($0.count)) }
    }

    /// Makes a copy, as the database is at this moment, while it is in use.
    ///
    /// It is SQLite's online backup within one reading transaction: nobody who writes is kept waiting, because the chat server's
    /// database has a write-ahead log (sqlite.org/wal.html), and nothing that is written meanwhile makes it begin anew.
    ///
    /// It is not flushed to the disk: what it is copied for is, and then it goes.
    ///
    /// - Parameters:
    ///   - owner: who does it, so that what a server does with its own folder can lead nobody else astray.
    ///   - folder: where the copy is to lie, under the name `copy`; the owner's.
    static func copy(_ path: String, into folder: String, as owner: Account?) throws(BackupError) {
        try ChildProcess(
            try program(),
            [
                "-batch", "-bail", "-init", "/dev/null", path, ".timeout 60000", "BEGIN", "SELECT count(*) FROM sqlite_schema",
                ".backup --async main copy",
            ],
            as: owner, in: folder
        ).succeed(isEndedBySignal: true)
    }

    /// Reads all of a database that nobody uses.
    ///
    /// - Returns: what is wrong with it; nil when it is sound.
    static func problem(of path: String) throws(BackupError) -> String? {
        let said = try ask(path, "PRAGMA cell_size_check=ON; PRAGMA integrity_check(5)")
        return said == ["ok"] ? nil : said.first ?? "it says nothing"
    }

    /// How many accounts and archived messages the chat server's database has; nil when it is another one.
    static func contents(of path: String) throws(BackupError) -> (accounts: Int, messages: Int)? {
        let tables = try ask(path, "SELECT name FROM sqlite_schema WHERE name IN ('prosody', 'prosodyarchive')")
        guard tables.count == 2 else { return nil }
        let said = try ask(
            path, "SELECT count(DISTINCT host || '/' || user) FROM prosody WHERE store = 'accounts'; SELECT count(*) FROM prosodyarchive")
        guard said.count == 2, let accounts = Int(said[0]), let messages = Int(said[1]) else { return nil }
        return (accounts, messages)
    }

    private static func ask(_ path: String, _ question: String) throws(BackupError) -> [String] {
        // Nothing is written beside it, and what another program has put into its schema is not run.
        let child = try ChildProcess(
            try program(),
            [
                "-batch", "-bail", "-init", "/dev/null", "file:\(escaped(File.name(of: path)))?immutable=1&mode=ro",
                "PRAGMA trusted_schema=OFF; \(question)",
            ], in: File.folder(of: path))
        if let words = child.end() {
            try Interruption.check()
            return [words]
        }
        return child.said.split(whereSeparator: \.isNewline).map(String.init)
    }

    /// A name as a part of a URI (sqlite.org/uri.html §3.1).
    static func escaped(_ name: String) -> String {
        let digits = Array("0123456789ABCDEF".unicodeScalars)
        var text = ""
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                text.unicodeScalars.append("%")
                text.unicodeScalars.append(digits[Int(byte >> 4)])
                text.unicodeScalars.append(digits[Int(byte & 15)])
            }
        }
        return text
    }

    private static func program() throws(BackupError) -> String { try ChildProcess.find("sqlite3", package: "sqlite3") }
}
