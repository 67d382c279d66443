import ArgumentParser
import Glibc
import Lifecycle
import Supervision

/// `snikket backup verify`
struct BackupVerify: Command {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Read all of a backup, and open the databases in it.",
        discussion: """
            Every byte has to be as it was written. The databases are unpacked into a folder below $TMPDIR, or /var/tmp, for as long as it takes.

            Exit status: 0 when it is good, 1 when it is not.
            """)

    @Argument(help: "The backup.")
    var file: String

    @OptionGroup var opening: OpeningOptions

    @Flag(help: "Print one JSON object.")
    var json = false

    func execute() async throws {
        Interruption.hold()
        let path = absolutePath(file)
        let scratch = getenv("TMPDIR").map { String(cString: $0) } ?? "/var/tmp"
        let line = ProgressLine("reading")
        defer { line.clear() }
        let contents = try BackupVerifier(file: path, opening: opening.opening, scratch: scratch).verify { line.show($0, of: $1) }
        line.clear()
        if json { return print(try jsonText(ContentsRow(contents, file: path))) }
        print("\(path) is good")
        print(contentsText(contents))
    }
}

/// What is in a backup, for people.
func contentsText(_ contents: BackupContents) -> String {
    let about = contents.about
    var lines = [
        "  domain    \(about.domain)", "  made      \(localTime(about.created)) by snikket \(about.version)",
        "  on        \([about.debian.map { "Debian \($0)" }, about.prosody.map { "Prosody \($0)" }].compactMap(\.self).joined(separator: ", "))",
        "  content   \(about.files) files, \(sizeText(about.bytes))",
    ]
    for database in contents.databases {
        let counts = database.accounts.map { ", \($0) accounts, \(database.messages ?? 0) messages" } ?? ""
        lines.append("  database  \(database.path): sound\(counts)")
    }
    // It may be anybody's backup.
    return lines.map(unobeyed).joined(separator: "\n")
}

/// What is in a backup, for scripts. These keys stay.
struct ContentsRow: Encodable {
    var file, domain, version: String
    var created, files, contentBytes: Int
    var debian, prosody: String?
    var databases: [DatabaseRow]

    struct DatabaseRow: Encodable {
        var path: String
        var accounts, messages: Int?
    }

    enum CodingKeys: String, CodingKey {
        case file, domain, version, created, files, debian, prosody, databases
        case contentBytes = "content_bytes"
    }

    init(_ contents: BackupContents, file: String) {
        let about = contents.about
        (self.file, domain, version, created) = (file, about.domain, about.version, about.created)
        (files, contentBytes, debian, prosody) = (about.files, about.bytes, about.debian, about.prosody)
        databases = contents.databases.map { .init(path: $0.path, accounts: $0.accounts, messages: $0.messages) }
    }
}
