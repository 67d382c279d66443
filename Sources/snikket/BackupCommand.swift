import Appliance
import ArgumentParser
import DurableFiles
import Glibc
import Lifecycle
import Settings

/// `snikket backup`
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Make, list and check backups.",
        discussion: """
            A backup is one file with everything that people wrote and shared, their accounts, the certificates and the settings. It is made \
            while everything runs. `snikket restore FILE` puts it back. SNIKKET_BACKUP_SCHEDULE=daily makes one every day.
            """,
        subcommands: [BackupCreate.self, BackupList.self, BackupVerify.self])
}

/// What opens an encrypted backup.
struct OpeningOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The file with your age identity, for a backup that is encrypted to its recipient.", valueName: "file"))
    var identity: String?

    @Option(help: ArgumentHelp("A file with the passphrase, for a backup that is encrypted with one.", valueName: "file"))
    var passphraseFile: String?

    func validate() throws {
        if identity != nil, passphraseFile != nil { throw ValidationError("--identity and --passphrase-file cannot be given together.") }
    }

    var opening: Opening {
        if let identity { return .identity(file: absolutePath(identity)) }
        return passphraseFile.map { .passphrase(file: absolutePath($0)) } ?? .none
    }
}

/// The users of this machine, for the files of a state; those of containers where there are none, and containers have this state.
///
/// - Parameter isStrict: whether root needs them; otherwise everything is root's when they are missing.
func stateOwners(of locations: Locations, isStrict: Bool) throws -> StateOwners {
    var accounts: [String: Account] = [:]
    if geteuid() == 0 {
        do throws(ApplianceError) {
            accounts = try Accounts.installed().byName
        } catch {
            if ContainerGround.isIn(state: locations.state) { accounts = Accounts.forContainers().byName } else if isStrict { throw error }
        }
    }
    return StateOwners(accounts: accounts, folders: Accounts.stateFolders)
}

/// The settings' files: snikket.conf, and what it names in the same folder.
func settingsFiles(_ settings: Settings, _ locations: Locations) -> [String] {
    let folder = File.folder(of: locations.configuration)
    let named = settings.given.values.filter { $0.hasPrefix("/") && File.folder(of: $0) == folder && $0 != locations.configuration }
    return [locations.configuration]
        + Set(named).sorted().filter { path in
            var status = stat()
            return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && !File.name(of: path).hasPrefix(".")
        }
}

/// A size for people: `812 bytes`, `3.4 MB`, `1.2 GB`.
func sizeText(_ bytes: Int) -> String {
    var (value, unit) = (Double(bytes), "bytes")
    for next in ["kB", "MB", "GB", "TB"] where value >= 1000 { (value, unit) = (value / 1000, next) }
    guard unit != "bytes" else { return "\(bytes) bytes" }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(unit)"
}

/// How far something has come, on a terminal, in one line that is written again and again.
final class ProgressLine {
    private let what: String
    private var last = -1

    init(_ what: String) {
        self.what = what
    }

    func show(_ done: Int, of total: Int) {
        let terminal = Terminal.standardError
        let percent = total > 0 ? min(100, done * 100 / total) : 100
        guard terminal.isInteractive, percent != last else { return }
        last = percent
        terminal.rewrite("\(what): \(percent) % of \(sizeText(total))")
    }

    /// Takes the line away.
    func clear() {
        if last >= 0 { Terminal.standardError.rewrite("") }
        last = -1
    }
}
