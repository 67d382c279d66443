import Appliance
import ArgumentParser
import DurableFiles
import Glibc
import Lifecycle
import ServerConfigs
import Settings

/// `snikket backup create`
struct BackupCreate: Command {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a backup, while everything runs.",
        discussion: """
            The file is a .tar.zst, readable by its owner only. Encrypted it is an age file around that:

              snikket backup create --encrypt-to age1...
              snikket backup create --passphrase-file FILE

            Without these it is encrypted to SNIKKET_BACKUP_RECIPIENT, if that is set. age needs 256 MB of memory for a passphrase.
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var overrides: SettingOverrides

    @Option(help: ArgumentHelp("The folder for the file, or the file; otherwise SNIKKET_BACKUP_DIRECTORY.", valueName: "path"))
    var to: String?

    @Option(help: ArgumentHelp("Encrypt it to this age recipient; may be repeated.", valueName: "recipient"))
    var encryptTo: [String] = []

    @Option(help: ArgumentHelp("Encrypt it with the passphrase in this file.", valueName: "file"))
    var passphraseFile: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    @Flag(help: "Only when SNIKKET_BACKUP_SCHEDULE wants one; hand it to SNIKKET_BACKUP_COMMAND, and remove the oldest. A timer does this.")
    var ifDue = false

    func validate() throws {
        if ifDue, to != nil || !encryptTo.isEmpty || passphraseFile != nil {
            throw ValidationError("--if-due goes by the settings: it cannot be given together with --to, --encrypt-to or --passphrase-file.")
        }
        if !encryptTo.isEmpty, passphraseFile != nil { throw ValidationError("--encrypt-to and --passphrase-file cannot be given together.") }
    }

    func execute() async throws {
        Interruption.hold()
        // The servers come first.
        setpriority(Int32(PRIO_PROCESS.rawValue), 0, 10)
        let locations = try common.locations()
        let settings = try readSettings(locations, overrides: overrides.values)
        if ifDue { return try await makeIfDue(settings, locations) }
        _ = try await make(settings, locations)
    }

    /// Makes one.
    func make(_ settings: Settings, _ locations: Locations) async throws -> BackupMaker.Result {
        let now = time(nil)
        let encryption = encryption(settings)
        let (folder, name) = destination(settings, locations, encryption, now)
        let maker = BackupMaker(
            state: locations.state, settings: settingsFiles(settings, locations), owners: try stateOwners(of: locations, isStrict: false),
            version: Version.current, domain: settings.domain, prosody: try? await ServerPrograms.installed().checkProsodyVersion(),
            folder: folder, name: name, encryption: encryption, now: now)
        let line = ProgressLine("backing up")
        defer { line.clear() }
        let begun = ContinuousClock.now
        let result = try maker.make { line.show($0, of: $1) }
        line.clear()
        try tell(result, encryption, seconds: begun.duration(to: .now))
        return result
    }

    private func encryption(_ settings: Settings) -> Encryption {
        if let passphraseFile { return .passphrase(file: absolutePath(passphraseFile)) }
        let recipients = encryptTo.isEmpty ? settings.backups.recipients : encryptTo
        return recipients.isEmpty ? .none : .recipients(recipients)
    }

    /// A name is chosen for a folder; anything else that is given is the file.
    private func destination(_ settings: Settings, _ locations: Locations, _ encryption: Encryption, _ now: Int) -> (folder: String, name: String) {
        let chosen = BackupFolder.name(domain: settings.domain, created: now, isScheduled: ifDue, isEncrypted: encryption != .none)
        guard let to else { return (settings.backupFolder(in: locations), chosen) }
        let path = absolutePath(to)
        var status = stat()
        if to.hasSuffix("/") || (stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR) { return (path, chosen) }
        return (File.folder(of: path), File.name(of: path))
    }

    private func tell(_ result: BackupMaker.Result, _ encryption: Encryption, seconds: Duration) throws {
        let terminal = Terminal.standardOutput
        if json { return terminal.print(try jsonText(Row(result, encryption, seconds: seconds))) }
        terminal.print(result.file)
        terminal.print("\(result.about.files) files, \(sizeText(result.about.bytes)); \(sizeText(result.size)) in the backup")
    }

    /// A backup as scripts see it. These keys stay.
    private struct Row: Encodable {
        var file, domain: String
        var bytes, files, contentBytes, created: Int
        var encrypted: Bool
        var seconds: Double

        enum CodingKeys: String, CodingKey {
            case file, domain, bytes, files, created, encrypted, seconds
            case contentBytes = "content_bytes"
        }

        init(_ result: BackupMaker.Result, _ encryption: Encryption, seconds: Duration) {
            (file, domain, bytes) = (result.file, result.about.domain, result.size)
            (files, contentBytes, created) = (result.about.files, result.about.bytes, result.about.created)
            encrypted = encryption != .none
            self.seconds = Double(seconds / .milliseconds(1)) / 1000
        }
    }
}
